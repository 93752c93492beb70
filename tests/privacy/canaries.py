"""Texts that are easy to find again, each planted in one place.

A canary's core is made of letters that every escaping leaves alone: a head and a tail that occur nowhere
else, and between them its number. A half that was cut off is found as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

HEAD, TAIL = "zqxkvwjq", "jqwzvkqx"
_LETTERS = "bcdfghklmnprst"
_DIGITS = 5


class Kind(StrEnum):
    """What a canary stands for, and so where it may be."""

    MEDICAL = "medical"  # data, note and whatever is not documented: nowhere
    HEALTH_NAME = "health name"  # nowhere, unless HEALTH is published on purpose
    PERSON = "person"  # fields of persons that no rule uses: nowhere
    SECRET = "secret"  # nowhere
    BIRTH_DATE = "birth date"  # in the evidence's inputs alone
    FIELD = "field name"  # in the manifest, where the report repeats it, and in the task's result
    CONTROL = "control"  # a name that has to arrive: shows that the search looks there


_FORMS = {
    Kind.MEDICAL: "Hepatitis <b>positive</b> \"{core}\" & 'more'",
    Kind.HEALTH_NAME: "Drug test {core}",
    Kind.PERSON: "{core}",
    Kind.SECRET: "pa ss\"<&/ö+{core}='\\~",
    Kind.FIELD: "field_{core}",
    Kind.CONTROL: "Nord{core}",
}


@dataclass(frozen=True)
class Canary:
    """One planted text.

    Attributes:
        kind: What it stands for.
        where: Where it was planted.
        text: What was planted.
        needles: What is looked for besides cores: texts whose form leaves no room for one.
    """

    kind: Kind
    where: str
    text: str
    needles: tuple[str, ...] = ()


def _core(number: int) -> str:
    letters = ""
    for _ in range(_DIGITS):
        number, rest = divmod(number, len(_LETTERS))
        letters += _LETTERS[rest]
    return HEAD + letters + TAIL


class Aviary:
    """Every canary of a test; the same place has the same canary, however often it is asked for."""

    def __init__(self) -> None:
        """Start with none."""
        self._by_place: dict[tuple[Kind, str], Canary] = {}
        self._by_core: dict[str, Canary] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._by_place)

    @property
    def all(self) -> list[Canary]:
        """Every canary."""
        return list(self._by_place.values())

    def plant(self, kind: Kind, where: str, form: str | None = None) -> str:
        """Return the text to plant; `form` is another than that of the kind."""
        found = self._by_place.get((kind, where))
        if found is None:
            core = _core(len(self._by_place))
            found = Canary(kind, where, (form or _FORMS[kind]).format(core=core))
            self._by_place[kind, where] = self._by_core[core] = found
        return found.text

    def token(self, where: str) -> str:
        """Return a secret that can stand in a header."""
        return self.plant(Kind.SECRET, where, "t0k/{core}+~.-=")

    def literal(self, kind: Kind, where: str, text: str, *others: str) -> str:
        """Plant a text that is itself what is looked for, in this and in other spellings."""
        self._by_place[kind, where] = Canary(kind, where, text, (text, *others))
        return text

    def owner(self, core: str) -> Canary | None:
        """Return the canary of which a piece of text is the core, or the half of one."""
        if core in self._by_core:
            return self._by_core[core]
        halves = (one for known, one in self._by_core.items() if core and (core in known))
        return next(halves, None)
