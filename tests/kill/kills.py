"""Which kills are tried: every victim in every phase, the moments in them drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from tests.kill.runs import Phase


class Victim(StrEnum):
    """Who is killed."""

    TASK = "task"
    POSTGRES = "PostgreSQL"
    SANDBOX = "sandbox"


class Moment(StrEnum):
    """When within the phase."""

    ANY = "at any time"
    UNSENT = "before anything is sent"
    RECEIVED = "sent, not processed"
    PROCESSED = "processed, not answered"
    ANSWERED = "answered, not committed"


class Recovery(StrEnum):
    """How the project goes on after it."""

    RETRY = "the task is tried again"
    NEXT_NIGHT = "a fresh run the next night"


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill.

    Attributes:
        victim: Who.
        phase: In which phase.
        moment: When in it.
        recovery: What comes after it.
        share: How far into the phase, or at which of its requests, from 0 to 1.
        patient: Whether the clients try for seconds, or give up at once.
        prompt: Whether a killed service is back at once, or only after the task has ended.
    """

    victim: Victim
    phase: Phase
    moment: Moment
    recovery: Recovery
    share: float
    patient: bool
    prompt: bool

    def __str__(self) -> str:
        """Name the kill, for ids and tables."""
        return f"{self.victim}, {self.phase} {self.moment} ({self.share:.2f}), {self.recovery}"

    def earlier(self) -> Kill:
        """Return the same kill sooner, for when the phase was over before it fell."""
        return replace(self, share=self.share / 2)


Place = tuple[Victim, Phase, Moment]
ASKS_VENDORS = (Phase.EXTRACTING, Phase.PUBLISHING)
WHILE_SENDING = (Moment.UNSENT, Moment.RECEIVED, Moment.PROCESSED, Moment.ANSWERED)

TEN: tuple[Place, ...] = (
    (Victim.TASK, Phase.OPENING, Moment.ANY),
    (Victim.TASK, Phase.EXTRACTING, Moment.ANY),
    (Victim.TASK, Phase.PUBLISHING, Moment.RECEIVED),
    (Victim.TASK, Phase.PUBLISHING, Moment.ANSWERED),
    (Victim.TASK, Phase.LOADING, Moment.ANY),
    (Victim.TASK, Phase.FINALISING, Moment.ANY),
    (Victim.POSTGRES, Phase.PUBLISHING, Moment.PROCESSED),
    (Victim.POSTGRES, Phase.SEALING, Moment.ANY),
    (Victim.SANDBOX, Phase.EXTRACTING, Moment.ANY),
    (Victim.SANDBOX, Phase.PUBLISHING, Moment.PROCESSED),
)
"""The places of the kills that belong to every test run."""


def every_place() -> Iterator[Place]:
    """Yield every victim in every phase in which it works, and every moment of a request for each."""
    for phase in Phase:
        yield Victim.TASK, phase, Moment.ANY
        yield Victim.POSTGRES, phase, Moment.ANY
        if phase in ASKS_VENDORS:
            yield Victim.SANDBOX, phase, Moment.ANY
    for victim in Victim:
        for moment in WHILE_SENDING:
            yield victim, Phase.PUBLISHING, moment


def draw(places: Iterable[Place], seed: int, *, both: bool = False) -> list[Kill]:
    """Return a kill for each place, or one for each way to go on after it.

    The same seed gives the same kills, each drawn apart from the others.
    """
    kills = []
    for place in places:
        chance = random.Random(f"{seed}:{place}")
        recoveries = list(Recovery) if both else [chance.choice(list(Recovery))]
        for recovery in recoveries:
            share, patient, prompt = chance.random(), chance.random() < 0.5, chance.random() < 0.5
            kills.append(Kill(*place, recovery, share, patient, prompt))
    return kills
