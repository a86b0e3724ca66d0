"""Proximal policy optimisation on towns: decisions as steps of unequal length, one network for every citizen."""
