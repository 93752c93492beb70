"""Names and folded text: the design's examples, one by one."""

from __future__ import annotations

import pytest

from certrecon.names import Name, names_agree
from certrecon.text import collapsed, fold, fold_key, fold_tokens, trimmed

PAIRS = [
    ("same", "Kari", "Nordmann", "Kari", "Nordmann", True),
    ("case", "KARI", "nordmann", "kari", "NORDMANN", True),
    ("marks", "René", "Wójcik", "Rene", "Wojcik", True),
    ("ø", "Bjørn", "Ødegård", "Bjorn", "Odegard", True),
    ("æ", "Æse", "Sæther", "Aese", "Saether", True),
    ("å is a, not aa", "Kari", "Ås", "Kari", "Aas", False),
    ("đ and ð", "Ana", "Đurić", "Ana", "Duric", True),
    ("ł", "Paweł", "Michał", "Pawel", "Michal", True),
    ("þ and ß", "Þór", "Weiß", "Thor", "Weiss", True),
    ("capital ß", "Kari", "WEIẞ", "Kari", "Weiss", True),
    ("œ", "Cœur", "Lie", "Coeur", "Lie", True),
    ("double name", "Anne-Kari", "Moe Lie", "Kari", "Lie", True),
    ("apostrophe", "Gia", "D'Angelo", "Gia", "D Angelo", True),
    ("one surname token is enough", "Kari", "Nordmann-Lie", "Kari", "Nordmann", True),
    ("surname nearly", "Kari", "Nordmann", "Kari", "Nordman", False),
    ("given name nearly", "Mathias", "Berg", "Matthias", "Berg", True),
    ("given name not near enough", "Christian", "Berg", "Kristian", "Berg", False),
    ("swapped on the left", "Nordmann", "Kari", "Kari", "Nordmann", True),
    ("swapped on the right", "Kari", "Nordmann", "Nordmann", "Kari", True),
    ("swapped on both", "Nordmann", "Kari", "Nordmann", "Kari", True),
    ("swapped and another surname", "Berge", "Ola", "Lars", "Berg", False),
    ("nothing in common", "Kari", "Nordmann", "Ola", "Hansen", False),
    ("no given name", None, "Nordmann", "Kari", "Nordmann", False),
    ("no surname", "Kari", None, "Kari", "Nordmann", False),
    ("blank", " ", "Nordmann", "Kari", "Nordmann", False),
    ("nobody and nobody", None, None, None, None, False),
    ("only signs", "-", "--", "-", "--", False),
    ("all in one field", "Kari Nordmann", None, "Kari Nordmann", None, False),
]


@pytest.mark.parametrize(
    ("given", "family", "other_given", "other_family", "agree"),
    [row[1:] for row in PAIRS],
    ids=[row[0] for row in PAIRS],
)
def test_names_agree(
    given: str | None, family: str | None, other_given: str | None, other_family: str | None, agree: bool
) -> None:
    one, other = Name(given, family), Name(other_given, other_family)
    assert names_agree(one, other) is agree
    assert names_agree(other, one) is agree


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Kranførerbevis", "kranforerbevis"),
        ("ÆØÅ", "aeoa"),
        ("Łódź", "lodz"),
        ("Straße", "strasse"),
        ("e\u0301", "e"),
        ("ﬁ", "fi"),
        ("İ", "i"),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Kranførerbevis", "KRANFORERBEVIS", True),
        ("Arbeid i høyden", "arbeid  i-hoyden", True),
        ("Byggekort", "Byggekort 2", False),
        ("§", "%", False),
        ("§", "§", True),
    ],
    ids=["letters", "separators", "longer", "two signs", "one sign"],
)
def test_types_that_collide(one: str, other: str, same: bool) -> None:
    assert (fold_key(one) == fold_key(other)) is same


def test_tokens_are_letters_and_digits() -> None:
    assert fold_tokens("Anne-Kari  O'Hara 2.") == ("anne", "kari", "o", "hara", "2")


@pytest.mark.parametrize(
    ("text", "cut"), [(" 0042 ", "0042"), ("\u00a0A\u030a1\t", "\u00c51"), ("", ""), (" \n", ""), ("a b", "a b")]
)
def test_trimming(text: str, cut: str) -> None:
    assert trimmed(text) == cut


def test_collapsing_inner_white_space() -> None:
    assert collapsed("  Kranfo\u0308rer \t\u00a0 bevis ") == "Kranf\u00f6rer bevis"
