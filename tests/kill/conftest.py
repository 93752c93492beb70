"""One ground for all tests of the package, put back to a moment of a calm night by each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kill.ground import Ground, prepared_ground


@pytest.fixture(scope="package")
def ground() -> Iterator[Ground]:
    """PostgreSQL, a sandbox and calm nights behind them."""
    with prepared_ground() as prepared:
        yield prepared
