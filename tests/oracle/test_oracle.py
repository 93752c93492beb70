"""The oracle agrees with the cases written by hand, and the cases cover the catalogue."""

from __future__ import annotations

import pytest

from tests.oracle.cases import CASES, Case
from tests.oracle.catalogue import SEVERITIES
from tests.oracle.contract import calculate
from tests.oracle.world import RefusedError

BEFORE_PUBLISHING = {"not_applicable", "blocked", "held", "superseded", "delivered", "planned"}
JUDGED = [case for case in CASES if not case.refused]
ALL = {case.id: case for case in CASES}


@pytest.mark.parametrize("case", JUDGED, ids=lambda case: case.id)
def test_claims(case: Case) -> None:
    """Every claim has the findings, the disposition and the columns that the case names."""
    expected = sorted(case.claims, key=lambda c: (c.certificate_id, c.certificate_type or ""))
    got = calculate(case.world()).claims
    assert [(c.certificate_id, c.certificate_type, c.disposition, c.findings) for c in got] == [
        (e.certificate_id, e.certificate_type, e.disposition, e.findings) for e in expected
    ], case.rule
    for one, other in zip(got, expected, strict=True):
        assert {name: getattr(one, name) for name in other.columns} == other.columns, case.rule


@pytest.mark.parametrize("case", JUDGED, ids=lambda case: case.id)
def test_withdrawals_and_totals(case: Case) -> None:
    """Withdrawals are those of the case, and no others; so are dangling links and the totals it names."""
    result = calculate(case.world())
    withdrawn = [(w.employee_number, w.certificate_type, w.reason) for w in result.withdrawn]
    assert withdrawn == sorted(case.withdrawn), case.rule
    assert len(result.dangling) == case.dangling
    assert {name: result.totals[name] for name in case.totals} == case.totals


@pytest.mark.parametrize("case", [case for case in CASES if case.refused], ids=lambda case: case.id)
def test_refused(case: Case) -> None:
    """The first task refuses the case's settings or parameters."""
    with pytest.raises(RefusedError):
        calculate(case.world())


def test_ids_are_unique() -> None:
    """Every case has an id of its own."""
    assert len(ALL) == len(CASES)


def test_every_code_and_disposition_has_a_case() -> None:
    """The cases raise every finding code and reach every disposition before publishing."""
    claims = [claim for case in CASES for claim in case.claims]
    assert {code for claim in claims for code in claim.findings} == set(SEVERITIES)
    assert {claim.disposition for claim in claims} == BEFORE_PUBLISHING
