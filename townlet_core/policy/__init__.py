"""Policies: the scripted teacher, networks, behaviour cloning and checkpoints."""
