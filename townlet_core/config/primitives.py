"""The steps an agent chooses among where it is controlled step by step."""

from enum import IntEnum

from townlet_core.config.options import OPTION_NAMES


class Primitive(IntEnum):
    """One tick's deed; the order is the order of the action mask and of the policy's logits.

    A request asks for the object that would serve an option best, if it is within reach. Starting begins the use of
    the object that one holds and stands on; releasing gives a reservation or a place in a queue back.
    """

    WAIT = 0
    MOVE_NORTH = 1
    MOVE_EAST = 2
    MOVE_SOUTH = 3
    MOVE_WEST = 4
    REQUEST_EAT_HOME = 5
    REQUEST_COOK = 6
    REQUEST_EAT_OUT = 7
    REQUEST_WASH = 8
    REQUEST_SLEEP = 9
    REQUEST_WORK = 10
    REQUEST_SHOP = 11
    REQUEST_RELAX = 12
    START = 13
    RELEASE = 14
    CHAT = 15


PRIMITIVE_NAMES = tuple(primitive.name.lower() for primitive in Primitive)
"""Names of the primitives in mask order."""
REQUESTABLE = tuple(name for name in OPTION_NAMES if f"request_{name}" in PRIMITIVE_NAMES)
"""The options that an object serves, in the order of their requests."""
