"""Lifecycle: who leaves the town and why, who comes instead, and what newcomers are like."""
