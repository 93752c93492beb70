"""Norwegian, Polish and Italian names, and how Ditio spells them."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Name:
    """A person's name."""

    given: str
    family: str


_GIVEN = {
    "no": "Bjørn Øyvind Kjell Åse Ingrid Håkon Sølvi Torbjørn Pål Gunnhild Jørgen Marit Tørris Åshild "
    "Kristoffer Ragnhild Eirik Solveig Sigbjørn Anne Magnus Vegard",
    "pl": "Łukasz Michał Paweł Grażyna Małgorzata Bożena Wojciech Krzysztof Agnieszka Stanisław "
    "Zdzisław Jędrzej Róża Ewelina Tomasz Mirosław Kamil Sławomir Józef Beata",
    "it": "Niccolò Giosuè Noè Lucia Francesca Giovanni Matteo Chiara Salvatore Nicolò Alessandra "
    "Gian Ilaria Fabrizio Vincenzo Caterina Raffaele Antonio Mosè Desirée",
}
_FAMILY = {
    "no": "Hansen Bjørnstad Åsheim Østby Sørensen Nygård Lødøen Kjærstad Myhre Grønli Håland Fjæreide "
    "Solbakken Tømmerås Skjæveland Bakke Ødegård Vågen Brekke Lindås Strømnes Hæstad",
    "pl": "Wiśniewski Kowalczyk Zieliński Szymański Dąbrowski Woźniak Kozłowski Jabłoński Król Pawłowski "
    "Górski Rutkowski Michalski Ostrowski Sikora Pietrzak Wróblewski Jasiński Zając Gołąb",
    "it": "Rossi D'Angelo Nicolì Esposito Bianchi Colò Ricci Dalfrà Marino Greco Cantù Gallo Arrò "
    "Mancini Lombardi Moretti Barbieri Fontanà Rinaldi Carè",
}
NATIONS = ("no", "pl", "it")
# Names of nobody else: what another person in Ditio, or a new surname, is called.
STRANGERS = (
    Name("Oddvar", "Tveitnes"),
    Name("Zbigniew", "Brzęczyszczykiewicz"),
    Name("Ubaldo", "Quattrocchi"),
    Name("Yngve", "Kvistgaard"),
)
# Spellings that a fold does not make equal but that are at least 85 alike.
ALIKE = {
    "Kristoffer": "Kristofer",
    "Krzysztof": "Krzystof",
    "Alessandra": "Alesandra",
    "Małgorzata": "Malgorzatta",
    "Torbjørn": "Thorbjørn",
    "Ragnhild": "Ragnhildt",
    "Giovanni": "Giovani",
    "Stanisław": "Stanislaw",
}
_LETTERS = str.maketrans({"ø": "o", "Ø": "O", "å": "a", "Å": "A", "ł": "l", "Ł": "L", "æ": "ae", "Æ": "Ae", "đ": "d"})


def draw_name(draw: random.Random, nation: str) -> Name:
    """Pick a name."""
    given, family = draw.choice(_POOLS[nation][0]), draw.choice(_POOLS[nation][1])
    if draw.random() < 0.06:
        given = f"{given} {draw.choice(_POOLS[nation][0])}"
    if draw.random() < 0.03:
        family = f"{family}-{draw.choice(_POOLS[nation][1])}"
    return Name(given, family)


def plain(text: str) -> str:
    """Spell a name without any diacritic."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def spelled_in_ditio(draw: random.Random, name: Name, nation: str) -> Name:
    """Return the name as somebody typed it into Ditio: different letters, the same person."""
    style = draw.choices(list(_SPELLINGS), weights=[share for share, _ in _SPELLINGS.values()])[0]
    return _SPELLINGS[style][1](draw, name, nation)


def _without_diacritics(_draw: random.Random, name: Name, _nation: str) -> Name:
    return Name(plain(name.given), plain(name.family))


def _second_given(draw: random.Random, name: Name, nation: str) -> Name:
    return replace(name, given=f"{name.given} {draw.choice(_POOLS[nation][0])}")


def _second_family(draw: random.Random, name: Name, nation: str) -> Name:
    return replace(name, family=f"{name.family}-{draw.choice(_POOLS[nation][1])}")


def _decomposed(_draw: random.Random, name: Name, _nation: str) -> Name:
    return Name(unicodedata.normalize("NFD", name.given), unicodedata.normalize("NFD", name.family))


def _alike(_draw: random.Random, name: Name, _nation: str) -> Name:
    first, *rest = name.given.split(" ")
    return replace(name, given=" ".join([ALIKE.get(first, first), *rest]))


_Spelling = Callable[[random.Random, Name, str], Name]
_SPELLINGS: dict[str, tuple[int, _Spelling]] = {
    "same": (66, lambda _draw, name, _nation: name),
    "without_diacritics": (14, _without_diacritics),
    "swapped": (5, lambda _draw, name, _nation: Name(name.family, name.given)),
    "second_given": (5, _second_given),
    "upper": (3, lambda _draw, name, _nation: Name(name.given.upper(), name.family.upper())),
    "decomposed": (2, _decomposed),
    "second_family": (2, _second_family),
    "alike": (3, _alike),
}
_POOLS = {nation: (_GIVEN[nation].split(), _FAMILY[nation].split()) for nation in NATIONS}
