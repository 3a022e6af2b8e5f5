"""Recovery of the transactions table: restore beside it, compare, copy back what is missing."""
