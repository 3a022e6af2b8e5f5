"""How results look: what a command has found, as lines, tables and data."""
