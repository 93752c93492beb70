"""Every fault at every endpoint of Ditio."""

from __future__ import annotations

import pytest

from tests.reliability.matrix import CELLS, Cell
from tests.reliability.nights import Stage
from tests.reliability.trial import run_trial

OURS = [cell for cell in CELLS if cell.endpoint.startswith("ditio.")]


@pytest.mark.parametrize("cell", OURS, ids=lambda cell: cell.id)
def test_fault(stage: Stage, cell: Cell) -> None:
    run_trial(stage, cell)
