"""Comments on records: an example of a plugin with a table of its own."""
