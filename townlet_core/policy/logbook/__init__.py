"""The log of a training as others read it: whole or while it grows, watched, summed up and drawn."""
