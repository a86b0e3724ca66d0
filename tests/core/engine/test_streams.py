"""The random streams are SplitMix64, and a town's streams are its own."""

from hashlib import sha256

import numpy as np

from townlet_core.kernels import EVENTS, WORLD, seed_streams, uniform


def test_the_stream_is_splitmix64() -> None:
    streams = np.zeros(3, np.uint64)
    drawn = [uniform(streams, WORLD) for _ in range(3)]
    published = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert drawn == [(word >> 11) / 2**53 for word in published]


def test_drawing_from_one_stream_leaves_the_others_alone() -> None:
    streams = seed_streams(7, [0], [0])[0]
    before = streams.copy()
    uniform(streams, EVENTS)
    assert streams[WORLD] == before[WORLD]
    assert streams[EVENTS] != before[EVENTS]


def test_every_town_and_seed_has_streams_of_its_own() -> None:
    towns, lives = np.arange(20).repeat(2).tolist(), [0, 1] * 20
    states = {int(word) for seed in range(20) for word in seed_streams(seed, towns, lives).ravel()}
    assert len(states) == 20 * 20 * 2 * 3


def test_a_town_begins_alike_whoever_is_seeded_with_it() -> None:
    together = seed_streams(2026, [0, 7, 7, 300], [0, 0, 3, 1])
    for number, (town, life) in enumerate(((0, 0), (7, 0), (7, 3), (300, 1))):
        assert (seed_streams(2026, [town], [life])[0] == together[number]).all()
    word = int.from_bytes(sha256(b"2026:7:3:events").digest()[:8], "little")
    assert together[2, EVENTS] == word
    assert together[1, WORLD] == int.from_bytes(sha256(b"2026:7:world").digest()[:8], "little")
