"""Data of a component in a table of its own: rows of an app, their segments, checks, merge, undo, files and counts."""
