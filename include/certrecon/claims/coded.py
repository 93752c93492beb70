"""Text columns as numbers: each distinct text once, and which of them every row has.

A night has a million rows, but few types, names, tenants and days: what is asked of a text is asked of each distinct
text once, and columns are joined by numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int32]
Rows = npt.NDArray[np.integer]

CODED = pa.dictionary(pa.int32(), pa.string())
"""The Arrow type of a text column that is kept as numbers."""

NONE = -1
"""The code of a row without a text."""


def coded_schema(schema: pa.Schema, *plain: str) -> pa.Schema:
    """Return a schema with every text column as `CODED` but for `plain`: those that hardly repeat themselves."""
    fields = (
        field.with_type(CODED) if pa.types.is_string(field.type) and field.name not in plain else field
        for field in schema
    )
    return pa.schema(list(fields))


@dataclass(frozen=True, slots=True)
class Coded:
    """A text column.

    Attributes:
        codes: The position of each row's text in `texts`, `NONE` for null.
        texts: Distinct texts, string; some may be no row's.
    """

    codes: Codes
    texts: pa.Array

    @classmethod
    def of(cls, column: pa.Array | pa.ChunkedArray | Coded) -> Coded:
        """Take a column of strings, coded ones among them."""
        if isinstance(column, Coded):
            return column
        coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        if isinstance(coded, pa.ChunkedArray):
            coded = coded.combine_chunks()
        codes = np.asarray(pc.fill_null(coded.indices, NONE)).astype(np.int32, copy=False)
        return cls(codes, coded.dictionary.cast(pa.string()))

    @classmethod
    def joined(cls, left: Coded, right: Coded) -> tuple[Coded, Coded]:
        """Return two columns with the same `texts`: equal texts have equal codes."""
        both = cls.of(pa.chunked_array([left.texts, right.texts], pa.string()))
        places = np.append(both.codes, np.int32(NONE))
        width = len(left.texts)
        return (
            cls(places[left.codes], both.texts),
            cls(places[np.where(right.codes < 0, NONE, right.codes + width)], both.texts),
        )

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.codes)

    def take(self, rows: Rows) -> Coded:
        """Return the rows at `rows`; -1 takes null."""
        return Coded(np.append(self.codes, np.int32(NONE))[rows], self.texts)

    def part(self, rows: slice) -> Coded:
        """Return a part of the rows."""
        return Coded(self.codes[rows], self.texts)

    def where(self, condition: Bools, other: Coded) -> Coded:
        """Return these texts where `condition` holds, and those of `other` elsewhere."""
        left, right = Coded.joined(self, other)
        return Coded(np.where(condition, left.codes, right.codes), left.texts)

    def having(self, condition: pa.Array) -> Bools:
        """Return which rows have a text for which `condition`, one truth a text, holds; null has none."""
        return np.append(np.asarray(pc.fill_null(condition, False)), False)[self.codes]

    def changed(self, texts: pa.Array) -> Coded:
        """Return the column with `texts` in place of its texts, some of them perhaps equal or null."""
        new = Coded.of(texts)
        return Coded(np.append(new.codes, np.int32(NONE))[self.codes], new.texts)

    def present(self) -> Coded:
        """Return the column with blank texts as null."""
        blank = pc.equal(pc.utf8_trim_whitespace(self.texts), "")
        return self.changed(pc.if_else(blank, pa.scalar(None, pa.string()), self.texts))

    def ranks(self) -> npt.NDArray[np.int64]:
        """Return a number for each row's text that goes with the order of texts; null is 0."""
        ranks = np.zeros(len(self.texts) + 1, np.int64)
        ranks[np.asarray(pc.array_sort_indices(self.texts)).astype(np.int64)] = np.arange(1, len(ranks))
        return np.asarray(ranks[self.codes])

    def to_arrow(self) -> pa.DictionaryArray:
        """Return the column as Arrow keeps it, type `CODED`, with no text in it that is no row's."""
        places = np.append(self.codes, np.int32(NONE)) + 1
        used = np.bincount(places, minlength=len(self.texts) + 1)[1:] > 0
        codes = np.where(used, np.cumsum(used) - 1, NONE).astype(np.int32)
        own = np.append(codes, np.int32(NONE))[self.codes]
        return pa.DictionaryArray.from_arrays(pa.array(own, mask=own < 0), self.texts.filter(pa.array(used)))


def _known(codes: Codes, places: pa.Array) -> Codes:
    found = np.asarray(pc.fill_null(places.cast(pa.int32()), NONE))
    return np.append(found, np.int32(NONE))[codes]


def _numbers(first: Codes, second: Codes, width: int) -> pa.Array:
    numbers = first.astype(np.int64) * width + second
    return pa.array(numbers, mask=(first < 0) | (second < 0))


def pair_numbers(pairs: tuple[Coded, Coded], others: tuple[Coded, Coded]) -> tuple[pa.Array, pa.Array]:
    """Return one number a row for two tables of pairs of texts: equal pairs have equal numbers.

    A pair without one of its two texts has null, as has a pair of `others` with a text that is none of `pairs`.
    """
    width = len(pairs[1].texts) + 1
    there = [
        _known(other.codes, pc.index_in(other.texts, value_set=own.texts))
        for own, other in zip(pairs, others, strict=True)
    ]
    return _numbers(pairs[0].codes, pairs[1].codes, width), _numbers(there[0], there[1], width)
