"""Scalars as TensorBoard event files, written by hand: a record is a length, the bytes, and a checksum of each.

The form is TFRecord around `tensorflow.Event` messages with `simple_value` summaries. The few fields that are needed
are encoded here, so that training depends on nothing that it does not compute with.
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

_POLYNOMIAL = 0x82F63B78
_MASK_DELTA = 0xA282EAD8
_WORD = 0xFFFFFFFF


def _table() -> tuple[int, ...]:
    entries = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        entries.append(value)
    return tuple(entries)


_TABLE = _table()


class EventFile:
    """An event file that grows by one record per call."""

    def __init__(self, folder: Path, began: float) -> None:
        """Begin a new file in `folder`; TensorBoard reads all files of a folder as one run.

        Args:
            folder: Created when missing.
            began: Seconds since the epoch, which name the file and its first record.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._stream: BinaryIO = (folder / f"events.out.tfevents.{began:.6f}.townlet").open("wb")
        self._write(_field(1, struct.pack("<d", began), 1) + _text(3, b"brain.Event:2"))

    def add(self, scalars: Mapping[str, float], step: int, now: float) -> None:
        """Write scalars of one step, and hand them to the operating system.

        Args:
            scalars: Figures by tag, such as `loss/policy`.
            step: The update.
            now: Seconds since the epoch.
        """
        values = b"".join(
            _text(1, _text(1, tag.encode()) + _field(2, struct.pack("<f", value), 5)) for tag, value in scalars.items()
        )
        self._write(_field(1, struct.pack("<d", now), 1) + _field(2, _varint(step), 0) + _text(5, values))

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _write(self, message: bytes) -> None:
        length = struct.pack("<Q", len(message))
        self._stream.write(length + masked_crc(length) + message + masked_crc(message))
        self._stream.flush()


def masked_crc(data: bytes) -> bytes:
    """The masked CRC-32C (Castagnoli) of TFRecord, four bytes."""
    value = _WORD
    for byte in data:
        value = _TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    value ^= _WORD
    rotated = ((value >> 15) | (value << 17)) & _WORD
    return struct.pack("<I", (rotated + _MASK_DELTA) & _WORD)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append((value & 0x7F) | 0x80)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, content: bytes, wire: int) -> bytes:
    return _varint(number << 3 | wire) + content


def _text(number: int, content: bytes) -> bytes:
    return _field(number, _varint(len(content)) + content, 2)
