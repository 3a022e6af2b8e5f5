"""What a security engineer asks of a template: the rules, and what they need to read it."""
