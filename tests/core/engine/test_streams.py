"""The random streams are SplitMix64, and a town's streams are its own."""

import numpy as np

from townlet_core.kernels import EVENTS, WORLD, seed_streams, uniform


def test_the_stream_is_splitmix64() -> None:
    streams = np.zeros(3, np.uint64)
    drawn = [uniform(streams, WORLD) for _ in range(3)]
    published = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert drawn == [(word >> 11) / 2**53 for word in published]


def test_drawing_from_one_stream_leaves_the_others_alone() -> None:
    streams = seed_streams(7, 0)
    before = streams.copy()
    uniform(streams, EVENTS)
    assert streams[WORLD] == before[WORLD]
    assert streams[EVENTS] != before[EVENTS]


def test_every_town_and_seed_has_streams_of_its_own() -> None:
    states = {int(word) for seed in range(20) for town in range(20) for word in seed_streams(seed, town)}
    assert len(states) == 20 * 20 * 3
