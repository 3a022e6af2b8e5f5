"""One thin module a command: options in, one call, one result out."""
