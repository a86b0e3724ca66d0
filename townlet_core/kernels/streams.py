"""Random streams: one small counter-based generator per town and purpose, so that a town's luck is its own.

The generator is SplitMix64 (Steele, Lea and Flood, 2014): a 64-bit counter stepped by the golden ratio and mixed.
"""

from hashlib import sha256

import numpy as np
import numpy.typing as npt

from townlet_core.kernels.compilation import kernel

WORLD, EVENTS, POLICY = 0, 1, 2
STREAM_NAMES = ("world", "events", "policy")

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_TO_UNIT = 1.0 / 9007199254740992.0


def seed_streams(seed: int, town: int, episode: int = 0) -> npt.NDArray[np.uint64]:
    """Return the starting states of one town's streams, shape [3].

    Args:
        seed: The seed of the run.
        town: The number of the town in the run; towns differ in nothing but their streams.
        episode: Which of the town's lives, one after another, this is.
    """
    run = f"{seed}:{town}" if episode == 0 else f"{seed}:{town}:{episode}"
    digests = (sha256(f"{run}:{name}".encode()).digest() for name in STREAM_NAMES)
    return np.array([int.from_bytes(digest[:8], "little") for digest in digests], dtype=np.uint64)


@kernel
def uniform(streams, which):  # type: ignore[no-untyped-def]
    """Advance stream ``which`` of uint64 ``streams`` [3] and return a float in [0, 1)."""
    state = streams[which] + _GOLDEN
    streams[which] = state
    mixed = (state ^ (state >> _S30)) * _MIX_1
    mixed = (mixed ^ (mixed >> _S27)) * _MIX_2
    return float((mixed ^ (mixed >> _S31)) >> _S11) * _TO_UNIT


@kernel
def uniform_between(streams, which, low, high):  # type: ignore[no-untyped-def]
    """Advance stream ``which`` and return a float in [low, high)."""
    return low + (high - low) * uniform(streams, which)
