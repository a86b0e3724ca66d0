"""Rewards: what a tick was worth, term by term."""
