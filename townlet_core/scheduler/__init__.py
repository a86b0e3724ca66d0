"""Scheduler: planned disturbances and when they strike."""
