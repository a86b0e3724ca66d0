"""The intentions an agent chooses among."""

from enum import IntEnum


class Option(IntEnum):
    """An intention; its controller walks, queues and uses until it is fulfilled or fails.

    The order is the order of the action mask and of the policy's logits.
    """

    IDLE = 0
    EAT_HOME = 1
    COOK = 2
    EAT_OUT = 3
    WASH = 4
    SLEEP = 5
    WORK = 6
    SHOP = 7
    RELAX = 8
    SOCIALISE = 9


OPTION_NAMES = tuple(option.name.lower() for option in Option)
"""Names of the options in mask order, as they appear in manifests, datasets and telemetry."""
