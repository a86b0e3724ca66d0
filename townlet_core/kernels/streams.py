"""Random streams: one small counter-based generator per town and purpose, so that a town's luck is its own.

The generator is SplitMix64 (Steele, Lea and Flood, 2014): a 64-bit counter stepped by the golden ratio and mixed.
"""

from collections.abc import Sequence
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


def seed_streams(seed: int, towns: Sequence[int], episodes: Sequence[int]) -> npt.NDArray[np.uint64]:
    """Return the starting states of some towns' streams, shape [towns, 3].

    Args:
        seed: The seed of the run.
        towns: The numbers of the towns in the run; towns differ in nothing but their streams.
        episodes: Which of its lives, one after another, each of them begins.
    """
    runs = (f"{seed}:{town}:{life}" if life else f"{seed}:{town}" for town, life in zip(towns, episodes, strict=True))
    digests = b"".join(sha256(f"{run}:{name}".encode()).digest()[:8] for run in runs for name in STREAM_NAMES)
    return np.frombuffer(digests, "<u8").reshape(-1, len(STREAM_NAMES)).astype(np.uint64)


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
