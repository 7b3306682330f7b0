"""Tests of what plugins test themselves with."""
