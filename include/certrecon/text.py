"""How text is compared (design, *From certificates to claims*, 2, 4, 5), and how foreign text is shown."""

from __future__ import annotations

import json
import re
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "å": "a", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ß": "ss", "œ": "oe"})
_TOKEN = re.compile(r"[^\W_]+")
_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_ESCAPED_IN_JSON = r'["\\\x00-\x1f]'

MOST_KEY_CHARACTERS = 255


def visible(text: str, limit: int) -> str:
    """Return at most `limit` visible characters of `text` on one line, fit for a message or a log."""
    plain = _TERMINAL.sub("", text[: limit * 20])
    shown = " ".join("".join(char for char in plain if char.isprintable() or char.isspace()).split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def trimmed(text: str) -> str:
    """Return `text` in NFC without surrounding white space."""
    return unicodedata.normalize("NFC", text).strip()


def collapsed(text: str) -> str:
    """Return `text` trimmed, in NFC, with each run of inner white space as one space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _unmarked(text: str) -> str:
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.category(char).startswith("M"))


def fold(text: str) -> str:
    """Return `text` without marks and case, the letters of the design's table written out."""
    return _unmarked(_unmarked(text).casefold()).translate(_LETTERS)


def fold_tokens(text: str) -> tuple[str, ...]:
    """Return the folded `text` split at anything but letters and digits."""
    return tuple(_TOKEN.findall(fold(text)))


def fold_key(text: str) -> str:
    """Return one string that is equal for texts that are equal when folded.

    A text without any letter or digit keeps its own characters, so that two different symbols do
    not count as the same word.
    """
    return " ".join(fold_tokens(text)) or fold(text).strip()


def trimmed_column(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return a string column trimmed and in NFC; what is blank becomes null."""
    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    cleaned = pc.utf8_trim_whitespace(pc.utf8_normalize(values.cast(pa.string()), form="NFC"))
    return pc.if_else(pc.equal(cleaned, ""), pa.scalar(None, pa.string()), cleaned)


def key_column(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return a string column trimmed and in NFC, null where it could be no key of the warehouse.

    Nobody has an employee number of more than 255 characters or with a NUL in it.
    """
    keys = trimmed_column(column)
    usable = pc.and_(
        pc.less_equal(pc.utf8_length(keys), MOST_KEY_CHARACTERS), pc.invert(pc.match_substring(keys, "\0"))
    )
    return pc.if_else(usable, keys, pa.scalar(None, pa.string()))


def json_literals(column: pa.Array) -> pa.Array:
    """Return a string column, coded or not, as JSON literals; null becomes `null`."""
    if pa.types.is_dictionary(column.type):
        return pc.fill_null(json_literals(column.dictionary).take(column.indices), "null")
    literals = pc.binary_join_element_wise('"', column, '"', "")
    escaped = pc.fill_null(pc.match_substring_regex(column, _ESCAPED_IN_JSON), False)
    if pc.any(escaped).as_py():
        own = [json.dumps(value, ensure_ascii=False) for value in column.filter(escaped).to_pylist()]
        literals = pc.replace_with_mask(literals, escaped, pa.array(own, pa.string()))
    return pc.fill_null(literals, "null")
