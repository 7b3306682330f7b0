"""Garbage: what nothing needs any more is marked, and goes a grace later; runs that are long over go too."""
