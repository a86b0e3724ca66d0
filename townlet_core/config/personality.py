"""Personality: the traits that citizens have, three in every town with relationships and two more where switched on."""

from pydantic import BaseModel

from townlet_core.config.fields import STRICT

TRAIT_NAMES = ("extroversion", "forgiveness", "ambition", "patience", "frugality")
"""Every trait in array order; each is 0 to 1."""
OPTIONAL_TRAITS = ("patience", "frugality")


class Personality(BaseModel):
    """The traits beside extroversion, forgiveness and ambition, each off unless switched on.

    `patience` scales how long one waits in a queue (`queues.patience_ticks` x 0.5 to 1.5), and of two with the same
    claim the less patient goes first. With `frugality` a coin of the price weighs up to 30 ticks of walking where one
    chooses between things that serve the same intention.
    """

    model_config = STRICT
    patience: bool = False
    frugality: bool = False
