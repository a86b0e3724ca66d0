"""Agents: needs, and the options that turn intentions into steps."""
