"""Lifecycle: who leaves the town, and when."""
