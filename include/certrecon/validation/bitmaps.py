"""Which rows of a frame have a finding, as text that a JSON document can carry."""

from __future__ import annotations

import base64
import binascii

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]


def encode_bitmap(rows: Bools) -> str:
    """Return a base64 bitmap, eight rows a byte, the first row in the highest bit."""
    return base64.b64encode(np.packbits(rows).tobytes()).decode("ascii")


def decode_bitmap(bitmap: str, rows: int) -> Bools:
    """Return which of `rows` rows a bitmap of `encode_bitmap` names.

    Raises:
        ValueError: The bitmap is not one of that many rows.
    """
    try:
        packed = np.frombuffer(base64.b64decode(bitmap, validate=True), np.uint8)
    except binascii.Error as error:
        message = f"not a base64 bitmap: {error}"
        raise ValueError(message) from error
    if len(packed) != (rows + 7) // 8:
        message = f"a bitmap of {len(packed)} bytes is not one of {rows} rows"
        raise ValueError(message)
    return np.unpackbits(packed, count=rows).astype(np.bool_)
