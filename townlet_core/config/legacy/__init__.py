"""Files of an earlier system of the same name: recognised, refused with the remedy, and translated key by key."""

from townlet_core.config.legacy.forms import EarlierForm, earlier_form, refuse_earlier
from townlet_core.config.legacy.rules import Fate, Line, Rule

__all__ = ["EarlierForm", "Fate", "Line", "Rule", "earlier_form", "refuse_earlier"]
