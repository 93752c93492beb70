"""Which rule of `certificate_types` names the type of a link or of an unlinked certificate."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from certrecon.claims.coded import Bools, Coded
from certrecon.settings import TypeRule
from certrecon.text import trimmed

NO_RULE = -1


class _Texts:
    """A string column whose distinct values are each looked at once."""

    def __init__(self, column: pa.Array | Coded) -> None:
        coded = Coded.of(column)
        self._codes = coded.codes
        self._distinct: list[str] = coded.texts.to_pylist()

    def matching(self, test: Callable[[str], bool]) -> Bools:
        """Return which rows hold a value that passes; null passes nothing."""
        passed = np.fromiter(map(test, self._distinct), np.bool_, len(self._distinct))
        return np.append(passed, False)[self._codes]


@dataclass(frozen=True, slots=True)
class RuleColumns:
    """What the conditions of rules are held against, one row a link or unlinked certificate.

    All are string columns; the code and action name are null for unlinked certificates.
    """

    action_code: pa.Array | Coded
    action_name: pa.Array | Coded
    certificate_name: pa.Array | Coded
    action_type: pa.Array | Coded


def _searcher(pattern: str) -> Callable[[str], bool]:
    search = re.compile(pattern).search
    return lambda text: search(unicodedata.normalize("NFC", text)) is not None


def _conditions(rule: TypeRule, texts: dict[str, _Texts]) -> list[Bools]:
    masks = []
    if rule.action_code is not None:
        codes = frozenset(rule.action_code)
        masks.append(texts["action_code"].matching(lambda text: trimmed(text) in codes))
    if rule.action_name is not None:
        masks.append(texts["action_name"].matching(_searcher(rule.action_name)))
    if rule.certificate_name is not None:
        masks.append(texts["certificate_name"].matching(_searcher(rule.certificate_name)))
    if rule.action_type is not None:
        wanted = rule.action_type.value
        masks.append(texts["action_type"].matching(lambda text: text == wanted))
    return masks


def first_rule(rules: Sequence[TypeRule], columns: RuleColumns, *, unlinked: bool) -> npt.NDArray[np.int64]:
    """Return the index of the first rule whose conditions all match each row, else `NO_RULE`.

    Args:
        rules: The settings' rules in their order.
        columns: What they are held against.
        unlinked: Whether the rows are unlinked certificates, which only rules on the
            certificate's own name and action type can match.
    """
    names = ("action_code", "action_name", "certificate_name", "action_type")
    texts = {name: _Texts(getattr(columns, name)) for name in names}
    chosen = np.full(len(columns.action_type), NO_RULE, np.int64)
    for index, rule in enumerate(rules):
        if unlinked and not rule.fits_unlinked:
            continue
        matches = np.logical_and.reduce(_conditions(rule, texts))
        chosen[(chosen == NO_RULE) & matches] = index
    return chosen
