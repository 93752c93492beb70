from __future__ import annotations

import pyarrow as pa
import pytest

from certrecon.dispositions.since import since_runs

CLAIM = pa.schema([("certificate_id", pa.string()), ("certificate_type", pa.string()), ("disposition", pa.string())])
KNOWN = CLAIM.append(pa.field("since_run_seq", pa.int64()))
THIS = 9


@pytest.mark.parametrize(
    ("claim", "known", "since"),
    [
        pytest.param(("c1", "Crane", "blocked"), [("c1", "Crane", "blocked", 4)], 4, id="as before: since then"),
        pytest.param(("c1", "Crane", "delivered"), [("c1", "Crane", "blocked", 4)], THIS, id="changed: since this run"),
        pytest.param(("c1", "Crane", "blocked"), [], THIS, id="never seen: since this run"),
        pytest.param(
            ("c1", "Crane", "blocked"), [("c1", "Truck", "blocked", 4)], THIS, id="another type is another claim"
        ),
        pytest.param(("c1", "Crane", "blocked"), [("c2", "Crane", "blocked", 4)], THIS, id="another certificate too"),
        pytest.param(("c1", None, "blocked"), [("c1", None, "blocked", 4)], 4, id="no type is a type of its own"),
    ],
)
def test_since(claim: tuple[str | None, ...], known: list[tuple[object, ...]], since: int) -> None:
    claims = pa.Table.from_pylist([dict(zip(CLAIM.names, claim, strict=True))], CLAIM)
    previous = pa.Table.from_pylist([dict(zip(KNOWN.names, row, strict=True)) for row in known], KNOWN)
    assert since_runs(claims, previous, THIS).to_pylist() == [since]


def test_order_of_the_claims_is_kept() -> None:
    rows = [("c3", "A", "held"), ("c1", "A", "held"), ("c2", "A", "held")]
    claims = pa.Table.from_pylist([dict(zip(CLAIM.names, row, strict=True)) for row in rows], CLAIM)
    known = [("c1", "A", "held", 1), ("c2", "A", "held", 2), ("c3", "A", "held", 3)]
    previous = pa.Table.from_pylist([dict(zip(KNOWN.names, row, strict=True)) for row in known], KNOWN)
    assert since_runs(claims, previous, THIS).to_pylist() == [3, 1, 2]
