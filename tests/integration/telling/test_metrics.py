"""Figures of a run as Airflow's own metrics: what a real UDP listener gets."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics import stats_utils

from certrecon.warehouse.runmodel import RunRecord
from certrecon_plugin.telling.metrics import count_run, gauge_silence

BEGAN = dt.datetime(2026, 3, 2, 2, 30, tzinfo=dt.UTC)


class Listener:
    """A statsd server that remembers."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.5)

    def heard(self) -> dict[str, str]:
        """Every figure so far: its value and kind, by its name."""
        found = {}
        while True:
            try:
                name, _, value = self.socket.recv(65536).decode().partition(":")
            except TimeoutError:
                return found
            found[name] = value


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    listening = Listener()
    settings = {"STATSD_ON": "True", "STATSD_HOST": "127.0.0.1", "STATSD_PORT": str(listening.socket.getsockname()[1])}
    for name, value in settings.items():
        monkeypatch.setenv(f"AIRFLOW__METRICS__{name}", value)
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
    yield listening
    monkeypatch.undo()
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
    listening.socket.close()


def a_run(**values: Any) -> RunRecord:
    """A run of which nothing is known but these values."""
    given = {
        "mode": "publish", "status": "succeeded", "scope": {"tenant_ids": []}, "started_at": BEGAN,
        "finished_at": BEGAN + dt.timedelta(seconds=90), "sent": 40, "claims": 154, "certificates": 150,
        "dispositions": {"delivered": 100, "blocked": 54},
    }  # fmt: skip
    return RunRecord(**{one.name: None for one in fields(RunRecord)} | given | values)


def test_a_night_gives_its_figures(listener: Listener) -> None:
    count_run(a_run(), shows_state=True)
    heard = listener.heard()
    assert heard["airflow.certrecon.runs"] == heard["airflow.certrecon.run.succeeded"] == "1|c"
    assert heard["airflow.certrecon.sent"] == "40|c"
    assert heard["airflow.certrecon.run.duration"] == "90000.000000|ms"
    assert heard["airflow.certrecon.claims"] == "154|g"
    assert heard["airflow.certrecon.dispositions.delivered"] == "100|g"
    assert heard["airflow.certrecon.dispositions.rejected"] == "0|g", "a gauge that stays away keeps its old value"


def test_a_run_that_does_not_show_how_things_are_sets_no_gauge(listener: Listener) -> None:
    """Which one does is `certrecon.telling.news.is_newest_night`'s to say."""
    count_run(a_run(), shows_state=False)
    heard = listener.heard()
    assert heard["airflow.certrecon.runs"] == "1|c"
    assert not [name for name, value in heard.items() if value.endswith("|g")]


def test_a_run_that_failed_early_sets_no_gauge_that_it_did_not_reach(listener: Listener) -> None:
    count_run(a_run(status="failed", claims=None, dispositions=None, sent=None), shows_state=True)
    heard = listener.heard()
    assert heard["airflow.certrecon.run.failed"] == "1|c"
    assert heard["airflow.certrecon.certificates"] == "150|g"
    assert not [name for name in heard if "claims" in name or "dispositions" in name or name.endswith("sent")]


def test_the_hours_without_success(listener: Listener) -> None:
    gauge_silence(27.456)
    assert listener.heard() == {"airflow.certrecon.hours_since_success": "27.46|g"}
