"""The weekly task removes and pseudonymises what is past its retention, as the settings say and as the writer."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine

from certrecon.audit.verify import verify
from certrecon_plugin.operators.auditing import PurgeOperator
from tests.integration.warehouse.samples import claims, finalise, opened_seq, query, write

DETAIL = (
    '{"ditio_employee_number":" 0042","expiry_received":"2027-01-01","issued_received":null,"expiry_source":"link"}'
)


def night(engine: Engine, name: str, *rows: dict[str, Any]) -> None:
    """A finalised run that leaves these claims."""
    run_seq = opened_seq(engine, name)
    write(engine, run_seq, claims(*(row | {"detail": DETAIL} for row in rows)))
    finalise(engine, run_seq)


@pytest.mark.parametrize(
    ("retention", "days_later", "persons"),
    [
        pytest.param("null", 4_000, 0, id="never"),
        pytest.param("30", 30, 0, id="not yet"),
        pytest.param("30", 31, 1, id="past"),
    ],
)
def test_the_weekly_task(
    warehouse: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    retention: str,
    days_later: int,
    persons: int,
) -> None:
    night(warehouse, "first", {"certificate_id": "c1"}, {"certificate_id": "c2", "resource_id": "p2"})
    night(warehouse, "second", {"certificate_id": "c2", "resource_id": "p2"})
    settings = tmp_path / "settings.yaml"
    text = (
        f"time_zone: UTC\nevidence: {{root: {tmp_path / 'evidence'}}}\npersonal_data: {{retention_days: {retention}}}\n"
    )
    settings.write_text(text, encoding="utf-8")
    monkeypatch.setenv("CERTRECON_SETTINGS", str(settings))
    address = warehouse.url.set(drivername="postgresql").render_as_string(hide_password=False)
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE_DEFAULT", address)
    run_after = dt.datetime.now(dt.UTC) + dt.timedelta(days=days_later)
    done = PurgeOperator(task_id="purge").execute({"dag_run": SimpleNamespace(run_after=run_after)})  # type: ignore[typeddict-item]
    assert done == {"parts": 0, "files": 0, "persons": persons, "claims": persons, "hints": 0}
    replaced = query(warehouse, "SELECT certificate_id FROM reconciliation.claim WHERE resource_id LIKE 'pseudonym-%'")
    assert replaced == [("c1",)] * persons
    found = verify(warehouse, Path, str(tmp_path / "evidence"))
    assert (found.breaches, found.checked["claims pseudonymised on the record"]) == ((), persons)
