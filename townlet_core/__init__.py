"""Townlet: a small town, simulated in batches, that learning agents live in."""
