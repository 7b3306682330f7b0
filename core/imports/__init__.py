"""Imports: a file of another program becomes an app. Reading it, showing what would become of it, making the app."""
