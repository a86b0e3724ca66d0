"""Observations: what an agent perceives: published layouts, the encoder, and its NumPy oracle."""
