"""Looks for canaries in bytes: as they are, in UTF-16, base64, hexadecimal, percent- and JSON-escaped, cut in half."""

from __future__ import annotations

import base64
import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from tests.privacy.canaries import HEAD, TAIL, Aviary, Canary, Kind
from tests.privacy.places import Place, PlaceKind

_CONTEXT = 60
_ESCAPED = re.compile(rb"\\u00([0-7][0-9a-f])|&#(\d{2,3});|&#x([0-7][0-9a-f]);", re.IGNORECASE)
_CORE = re.compile(rf"{HEAD}[a-z]{{0,5}}(?:{TAIL})?|[a-z]{{0,5}}{TAIL}".encode())
_MAY_BE: dict[Kind, frozenset[PlaceKind]] = {
    Kind.BIRTH_DATE: frozenset({PlaceKind.INPUTS}),
    Kind.FIELD: frozenset({PlaceKind.MANIFEST, PlaceKind.REPORT, PlaceKind.METADATA, PlaceKind.LOG, PlaceKind.PRINTED}),
    Kind.CONTROL: frozenset(PlaceKind) - {PlaceKind.LOG, PlaceKind.EXCEPTION, PlaceKind.ARGUMENTS, PlaceKind.PRINTED},
}
"""Where canaries of a kind may be; all others nowhere."""


@dataclass(frozen=True)
class Hit:
    """A canary that was found."""

    canary: Canary | None
    place: str
    place_kind: PlaceKind
    form: str
    context: str

    def __str__(self) -> str:
        """Say what was found where."""
        planted = f"{self.canary.kind} of {self.canary.where}" if self.canary else "a canary"
        return f"{planted} in {self.place_kind} {self.place} ({self.form}): {self.context}"


def told(hits: Iterable[Hit]) -> str:
    """Return hits as text: each canary once for a kind of place."""
    first: dict[tuple[Canary | None, PlaceKind], Hit] = {}
    for hit in hits:
        first.setdefault((hit.canary, hit.place_kind), hit)
    return "\n".join(map(str, first.values()))


def _base64_forms(text: bytes) -> list[bytes]:
    """Return the characters that base64 makes of a text wherever it begins."""
    found = []
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + text)
        whole = (before + len(text)) * 8 // 6
        found.append(encoded[-(-before * 8 // 6) : whole])
    return found


def forms(text: str) -> list[tuple[str, bytes]]:
    """Return how a text may be written; searched in what is lower-cased, but for base64."""
    plain = text.encode()
    return [
        ("plain", plain.lower()),
        ("UTF-16", text.lower().encode("utf-16-le")[:-1]),
        ("hexadecimal", plain.hex().encode()),
        *(("base64", one) for one in _base64_forms(plain)),
    ]


def unescaped(data: bytes) -> bytes | None:
    """Return data without JSON's, HTML's and percent escapes; None where it has none."""
    if not (b"\\u00" in data or b"&#" in data or b"%" in data):
        return None

    def character(escape: re.Match[bytes]) -> bytes:
        code, decimal, hexadecimal = escape.groups()
        return bytes([int(decimal) & 255 if decimal else int(code or hexadecimal, 16)])

    return unquote_to_bytes(_ESCAPED.sub(character, data))


@dataclass
class Search:
    """One search for every canary of an aviary.

    Attributes:
        places: How many places of each kind were looked at.
        bytes: How many bytes they held, unpacked.
        found: How often canaries of a kind were seen in a kind of place, where they may be and where not.
    """

    aviary: Aviary
    places: Counter[PlaceKind] = field(default_factory=Counter)
    bytes: int = 0
    found: Counter[tuple[Kind | None, PlaceKind]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Make the patterns."""
        needles = [(text, one) for one in self.aviary.all for text in one.needles]
        self._patterns: list[tuple[str, bytes, Canary | None]] = [
            (form, pattern, None) for text in (HEAD, TAIL) for form, pattern in forms(text)
        ]
        self._patterns += [(form, pattern, one) for text, one in needles for form, pattern in forms(text)]

    def look(self, places: Iterable[Place]) -> list[Hit]:
        """Return every canary that is where it may not be."""
        hits: list[Hit] = []
        for place in places:
            self.places[place.kind] += 1
            self.bytes += len(place.data)
            for hit in self._hits(place):
                kind = hit.canary.kind if hit.canary else None
                self.found[kind, place.kind] += 1
                if kind is None or place.kind not in _MAY_BE.get(kind, frozenset()):
                    hits.append(hit)
        return hits

    def _hits(self, place: Place) -> Iterator[Hit]:
        opened = unescaped(place.data)
        views = [("", place.data)] + ([("escaped ", opened)] if opened is not None else [])
        for prefix, view in views:
            lowered = view.lower()
            for form, pattern, owner in self._patterns:
                data = view if form == "base64" else lowered
                if prefix and pattern in (place.data if form == "base64" else place.data.lower()):
                    continue  # it was found as it is
                at = data.find(pattern)
                while at >= 0:
                    yield self._hit(place, prefix + form, data, at, owner)
                    at = data.find(pattern, at + len(pattern))

    def _hit(self, place: Place, form: str, data: bytes, at: int, owner: Canary | None) -> Hit:
        around = data[max(at - _CONTEXT, 0) : at + _CONTEXT]
        if owner is None and form.endswith("plain"):
            core = _CORE.search(data, max(at - 5, 0)) if data.startswith(TAIL.encode(), at) else _CORE.search(data, at)
            owner = self.aviary.owner(core.group().decode()) if core else None
        return Hit(owner, place.name, place.kind, form, html.escape(repr(around), quote=False))

    def figures(self, hits: int) -> str:
        """Return in one line what was searched and what was found."""
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(self.places.items()))
        total = sum(self.places.values())
        return f"{total} places ({kinds}), {self.bytes:,} bytes, {len(self.aviary)} canaries, {hits} hits"
