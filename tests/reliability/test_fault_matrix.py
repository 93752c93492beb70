"""Every fault at every endpoint of 4HSE; those of Ditio are in a module of their own, so that two processes share."""

from __future__ import annotations

from pathlib import Path

import pytest

from certrecon_sandbox.endpoints import USED
from certrecon_sandbox.faults.catalogue import KINDS
from tests.reliability.fault_matrix import BEGIN, END, WORDS
from tests.reliability.matrix import CELLS, COLUMNS, ROWS, Cell
from tests.reliability.nights import Stage
from tests.reliability.trial import run_trial

OURS = [cell for cell in CELLS if cell.endpoint.startswith("4hse.")]


@pytest.mark.parametrize("cell", OURS, ids=lambda cell: cell.id)
def test_fault(stage: Stage, cell: Cell) -> None:
    run_trial(stage, cell)


def test_every_kind_and_every_endpoint_is_in_the_matrix() -> None:
    met = {name for name, kind in KINDS.items() if any(map(kind.fits, USED))}
    assert {row.kind for row in ROWS} == met
    assert set(KINDS) - met == {"dropped_field"}, "a night writes nothing to 4HSE"
    assert set(COLUMNS) == set(USED) == {cell.endpoint for cell in CELLS}
    assert len({cell.id for cell in CELLS}) == len(CELLS)


def test_the_page_shows_this_matrix() -> None:
    """The table in docs/reliability.md was made from these rows, and everything in it held."""
    page = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text(encoding="utf-8")
    lines = [line.strip("| ").split(" | ") for line in page.partition(BEGIN)[2].partition(END)[0].splitlines()]
    shown = {line[0]: [one.strip() for one in line[1:]] for line in lines}
    expected = {(cell.row.name, cell.endpoint): WORDS[cell.expected] for cell in CELLS}
    for row in ROWS:
        told = [one for one in shown[row.name] if one]
        assert told == [expected[row.name, one] for one in COLUMNS if (row.name, one) in expected], row.name
