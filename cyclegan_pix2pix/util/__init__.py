"""Helpers that people import by these names."""
