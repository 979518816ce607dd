"""Files: their content once, by its hash, and what is known about it."""
