"""What a verification found: a breach is one thing that does not hold, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class BreachKind(StrEnum):
    """In which way something does not hold."""

    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing that does not hold.

    Attributes:
        kind: Whether it was changed, is missing, or should not be there.
        where: What it is, such as `run 17` or `run 17, inputs/links-1f3a.parquet`.
        words: One or two sentences for an auditor.
    """

    kind: BreachKind
    where: str
    words: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What was looked at and what came of it.

    Attributes:
        breaches: What does not hold, in the order in which it was found.
        checked: How many things of each sort were looked at, by their name in words.
        notes: What an auditor should know although it is no breach.
    """

    breaches: tuple[Breach, ...]
    checked: Mapping[str, int]
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether everything is as it was written."""
        return not self.breaches


def changed(where: str, words: str) -> Breach:
    """Return a breach of something that is not what it was."""
    return Breach(BreachKind.CHANGED, where, words)


def missing(where: str, words: str) -> Breach:
    """Return a breach of something that is gone."""
    return Breach(BreachKind.MISSING, where, words)


def added(where: str, words: str) -> Breach:
    """Return a breach of something that nobody wrote on the record."""
    return Breach(BreachKind.ADDED, where, words)


def run_words(run_seq: int, chain_no: int | None) -> str:
    """Return a run in words, with its place in the chain where it has one."""
    return f"run {run_seq}" if chain_no is None else f"run {run_seq} (chain number {chain_no})"
