"""What is measured: chosen by environment variables of `make bench`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

STAGES = ("extract", "compute", "load", "publish", "nights", "scheduled", "profiles", "startup", "report", "pages")


@dataclass(frozen=True, slots=True)
class Choices:
    """What one `make bench` measures.

    Attributes:
        stages: Names of `STAGES`.
        sizes: Numbers of certificates.
        rounds: How often each variant runs; the variants take turns.
        slow_rounds: The same for variants that need minutes at a million rows.
        tenants: How many 4HSE projects hold the certificates (extract, compute, load, publish).
        claims: Claims behind pages and report.
        peers: Whether peers that the project does not depend on are installed and measured.
    """

    stages: tuple[str, ...]
    sizes: tuple[int, ...]
    rounds: int = 3
    slow_rounds: int = 1
    tenants: int = 1
    claims: int = 1_000_000
    peers: bool = True


def _stages(words: list[str]) -> tuple[str, ...]:
    unknown = [word for word in words if word not in STAGES]
    if unknown:
        message = f"STAGES: '{unknown[0]}' is none of {', '.join(STAGES)}"
        raise SystemExit(message)
    return tuple(stage for stage in STAGES if stage in words)


def read_choices(variables: Mapping[str, str]) -> Choices:
    """Read what to measure; a variable that is not set has its default, an unknown stage ends the program."""

    def number(name: str, default: int) -> int:
        text = variables.get(name, "") or str(default)
        if not text.isdecimal():
            message = f"{name}: '{text}' is no whole number"
            raise SystemExit(message)
        return int(text)

    sizes = variables.get("SIZES", "10000 100000").split()
    if not all(size.isdecimal() and int(size) for size in sizes):
        message = f"SIZES: '{' '.join(sizes)}' are not whole numbers above zero"
        raise SystemExit(message)
    return Choices(
        stages=_stages(variables.get("STAGES", " ".join(STAGES)).split()),
        sizes=tuple(sorted(map(int, sizes))),
        rounds=number("ROUNDS", 3),
        slow_rounds=number("SLOW_ROUNDS", 1),
        tenants=number("TENANTS", 1),
        claims=number("CLAIMS", 1_000_000),
        peers=variables.get("PEERS", "1") != "0",
    )
