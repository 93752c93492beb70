"""`make run` against the sandbox, and against other 4HSE- and Ditio-like servers, compared with the oracle."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
import yaml
from sqlalchemy import Engine, func, select, text

from certrecon.warehouse import tables
from certrecon.warehouse.engine import connect_engine
from certrecon_quickstart.postgres import EmbeddedPostgres
from certrecon_quickstart.project import Project
from certrecon_quickstart.services import stop_services, using_services
from certrecon_sandbox.server import SandboxServer
from certrecon_sandbox.world import WorldSpec
from tests.contract.world_server import WorldServer
from tests.e2e.quickstart import Checkout
from tests.oracle.contract import calculate
from tests.oracle.world import Row, World

DISPOSITIONS = (
    "not_applicable", "blocked", "held", "superseded", "delivered", "planned", "refused", "rejected", "undelivered",
)  # fmt: skip
WRITTEN = ("claim", "ditio_upsert", "ditio_attempt", "withdrawn_upsert", "run")


def count(engine: Engine) -> dict[str, int]:
    with engine.connect() as conn:
        return {
            name: conn.execute(select(func.count()).select_from(getattr(tables, name))).scalar_one() for name in WRITTEN
        }


def rows(engine: Engine, query: str) -> list[Row]:
    with engine.connect() as conn:
        return [dict(row) for row in conn.execute(text(query)).mappings()]


# --- the sandbox -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    found = Checkout(tmp_path_factory.mktemp("checkout"), {"CERTIFICATES": "300", "SEED": "5"})
    project = Project(root=found.project.root, var=found.var, dags=found.project.dags)
    with using_services(project):
        yield found
    stop_services(project)


@pytest.fixture
def embedded(checkout: Checkout) -> Iterator[Engine]:
    project = Project(root=checkout.project.root, var=checkout.var, dags=checkout.project.dags)
    variables = EmbeddedPostgres(project).client_variables()
    engine = connect_engine("postgresql://{PGUSER}:{PGPASSWORD}@{PGHOST}:{PGPORT}/{PGDATABASE}".format(**variables))
    yield engine
    engine.dispose()


def test_two_nights_and_a_dry_run_on_the_sandbox(checkout: Checkout, embedded: Engine) -> None:
    first = checkout.run()
    assert first.code == 0, first.printed
    after_first = count(embedded)
    assert after_first["run"] == 1
    assert 0 < after_first["ditio_upsert"] == after_first["ditio_attempt"]

    second = checkout.run()
    assert second.code == 0, second.printed
    assert count(embedded) == after_first | {"run": 2}, (
        "an unchanged night writes a run row and nothing else that grows"
    )

    dry = checkout.run({"mode": "dry_run", "resend": True})
    assert dry.code == 0, dry.printed
    assert count(embedded) == after_first | {"run": 3}
    statuses = rows(embedded, "SELECT status, mode, sent, dispositions FROM reconciliation.run ORDER BY run_seq")
    assert [(row["status"], row["mode"]) for row in statuses] == [
        ("succeeded", "publish"), ("succeeded", "publish"), ("succeeded", "dry_run"),
    ]  # fmt: skip
    assert [row["sent"] for row in statuses] == [after_first["ditio_upsert"], 0, 0]
    assert statuses[2]["dispositions"]["planned"] == after_first["ditio_upsert"]


def test_summary_report_and_warehouse_hold_the_same_figures(checkout: Checkout, embedded: Engine) -> None:
    ended = checkout.run()
    assert ended.code == 0, ended.printed
    measured = rows(
        embedded,
        "SELECT measure, value FROM reconciliation.report_summary"
        " WHERE run_seq = (SELECT max(run_seq) FROM reconciliation.run)",
    )
    totals = {row["measure"]: int(row["value"]) for row in measured}
    assert set(DISPOSITIONS) <= set(totals)
    assert sum(totals[name] for name in DISPOSITIONS) == totals["claims"]
    counted = Counter(
        row["disposition"] for row in rows(embedded, "SELECT disposition FROM reconciliation.claim_current")
    )
    assert {name: totals[name] for name in DISPOSITIONS if totals[name]} == counted
    reported = rows(embedded, "SELECT disposition FROM reconciliation.reconciliation_report")
    assert Counter(row["disposition"] for row in reported) == counted
    for name in DISPOSITIONS:
        assert re.search(rf"^\s+{name}\s+{totals[name]:,}\s", ended.printed, re.MULTILINE), name
    page = Path(re.search(r"^Report:\s+(\S+)", ended.printed, re.MULTILINE)[1])  # type: ignore[index]
    worklist = Path(re.search(r"^Needs somebody:\s+(\S+)", ended.printed, re.MULTILINE)[1])  # type: ignore[index]
    assert f"{totals['claims']:,}" in page.read_text(encoding="utf-8")
    with worklist.open(encoding="utf-8-sig", newline="") as file:
        listed = Counter(row["disposition"] for row in csv.DictReader(file))
    assert {name: listed[name] for name in ("blocked", "held")} == {name: counted[name] for name in ("blocked", "held")}
    assert page.stat().st_mode & 0o077 == worklist.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("conf", "words"),
    [
        ({"mod": "dry_run"}, "'mod'"),
        ({"tenant_ids": ["nobody"]}, "'nobody'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_parameter_is_named_and_nothing_is_sent(
    checkout: Checkout, embedded: Engine, conf: dict[str, Any], words: str
) -> None:
    before = count(embedded)
    ended = checkout.run(conf)
    assert ended.code != 0
    assert words in ended.last_line
    assert "Traceback" not in ended.printed
    assert {**count(embedded), "run": 0} == {**before, "run": 0}


def test_a_wrong_setting_names_its_key_and_value(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path, {"CERTIFICATES": "20"})
    checkout.write_settings("guards: {max_drop: 2}\n")
    ended = checkout.run()
    assert ended.code != 0
    assert "guards.max_drop" in ended.last_line
    assert "2" in ended.last_line


# --- other servers -----------------------------------------------------------------------------------------


def index(sandbox: SandboxServer, entity: str, tenant: str | None) -> list[Row]:
    """Read an index the plain way."""
    found: list[Row] = []
    for page in range(1, 1000):
        asked: Row = {"page": page, "per-page": 100, "history": True}
        if tenant:
            asked["filter"] = {"project_id" if entity == "person" else "tenant_id": tenant}
        answer = requests.post(
            f"{sandbox.urls['fourhse_url']}/v2/{entity}/index?access-token=sandbox-access-token", json=asked, timeout=10
        )
        found += answer.json()
        if page >= int(answer.headers["X-Pagination-Page-Count"]):
            return found
    raise AssertionError("endless")


def generated_world(certificates: int, seed: int, settings: Row) -> World:
    """Return a generated world as the vendors' APIs show it."""
    with SandboxServer(WorldSpec(certificates=certificates, seed=seed)) as sandbox:
        projects = index(sandbox, "project", None)
        tenants = [row["project_id"] for row in projects]
        token = requests.post(
            sandbox.urls["ditio_token_url"],
            data={
                "grant_type": "client_credentials", "client_id": "certrecon-ditio",
                "client_secret": "ditio-sandbox-secret", "scope": "ditioapiv3",
            },
            timeout=10,
        ).json()["access_token"]  # fmt: skip
        employees = requests.get(
            f"{sandbox.urls['ditio_url']}/api/v5/integration/employees",
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        ).json()
        return World(
            certificates={tenant: index(sandbox, "certificate", tenant) for tenant in tenants},
            links={tenant: index(sandbox, "certificate-action", tenant) for tenant in tenants},
            persons={tenant: index(sandbox, "person", tenant) for tenant in tenants},
            employees=employees,
            ledger=[],
            settings=settings,
            as_of=dt.datetime.now(ZoneInfo("Europe/Oslo")).date(),
            projects=projects,
        )


@pytest.fixture(scope="module")
def server() -> Iterator[WorldServer]:
    with WorldServer() as running:
        running.max_per_page = 50
        yield running


def connections(server: WorldServer, warehouse: str) -> dict[str, str]:
    fourhse = {
        "conn_type": "fourhse", "host": f"{server.url}/hse", "login": "hse-user", "password": "hse-password",
        "extra": {"token_url": f"{server.url}/hse/token", "client_id": "hse-client"},
    }  # fmt: skip
    ditio = {
        "conn_type": "ditio", "host": f"{server.url}/ditio/core", "login": "ditio-client", "password": "ditio-secret",
        "extra": {"token_url": f"{server.url}/ditio/token", "scope": "ditioapiv3"},
    }  # fmt: skip
    return {
        "AIRFLOW_CONN_FOURHSE_DEFAULT": json.dumps(fourhse),
        "AIRFLOW_CONN_DITIO_DEFAULT": json.dumps(ditio),
        "AIRFLOW_CONN_WAREHOUSE_DEFAULT": warehouse,
    }


def test_other_servers_get_what_the_oracle_says(
    tmp_path: Path, server: WorldServer, empty_database_url: str, new_database: Callable[..., str]
) -> None:
    checkout = Checkout(tmp_path)
    settings = yaml.safe_load((tmp_path / "settings.yaml").read_text(encoding="utf-8"))
    world = generated_world(400, 11, settings)
    server.show(world, sandbox=False)
    server.max_per_page = 50
    checkout.variables = connections(server, empty_database_url.replace("postgresql+psycopg", "postgresql"))
    expected = calculate(world)
    engine = connect_engine(empty_database_url)

    dry = checkout.run()
    assert dry.code == 0, dry.printed
    assert "dry_run" in dry.printed.splitlines()[0]
    assert server.posts == []

    stopped = checkout.run({"mode": "publish"})
    assert stopped.code != 0
    assert "first_publish" in stopped.last_line
    assert '"accept": ["first_publish"]' in stopped.last_line
    assert server.posts == []
    undelivered = rows(
        engine, "SELECT count(*) AS n FROM reconciliation.claim_current WHERE disposition = 'undelivered'"
    )
    assert undelivered[0]["n"] == sum(claim.disposition == "planned" for claim in expected.claims)
    assert count(engine)["ditio_upsert"] == 0

    sent = checkout.run({"mode": "publish", "accept": ["first_publish"]})
    assert sent.code == 0, sent.printed
    planned = [dict(claim.payload or {}) for claim in expected.claims if claim.disposition == "planned"]
    assert sorted(map(json.dumps, map(sorted_row, server.received))) == sorted(
        map(json.dumps, map(sorted_row, planned))
    )
    found = rows(engine, "SELECT * FROM reconciliation.claim_current")
    columns = (
        "certificate_id", "certificate_type", "tenant_id", "certificate_name", "action_type", "resource_type",
        "resource_id", "employee_number", "issued_on", "valid_until", "linked",
    )  # fmt: skip
    got = {tuple(row[name] for name in columns): (row["disposition"], tuple(row["findings"])) for row in found}
    wanted = {
        tuple(getattr(claim, name) for name in columns): (
            "delivered" if claim.disposition == "planned" else claim.disposition,
            tuple(claim.findings),
        )
        for claim in expected.claims
    }
    assert got == wanted
    ledger = rows(engine, "SELECT employee_number, certificate_type, state, payload FROM reconciliation.ditio_upsert")
    assert {row["state"] for row in ledger} == {"acknowledged"}
    assert len(ledger) == len(planned)

    posts = len(server.posts)
    again = checkout.run({"mode": "publish"})
    assert again.code == 0, again.printed
    assert len(server.posts) == posts, "an unchanged night sends nothing"
    engine.dispose()


def sorted_row(row: Row) -> Row:
    return dict(sorted(row.items()))


def test_wrong_credentials_say_which_and_show_no_secret(
    tmp_path: Path, server: WorldServer, empty_database_url: str
) -> None:
    checkout = Checkout(tmp_path)
    variables = connections(server, empty_database_url.replace("postgresql+psycopg", "postgresql"))
    wrong = json.loads(variables["AIRFLOW_CONN_FOURHSE_DEFAULT"]) | {"password": "a-wrong-password"}
    checkout.variables = variables | {"AIRFLOW_CONN_FOURHSE_DEFAULT": json.dumps(wrong)}
    ended = checkout.run()
    assert ended.code != 0
    assert "4HSE" in ended.last_line
    logs = "".join(path.read_text(encoding="utf-8", errors="replace") for path in (tmp_path / "var/logs").glob("*.log"))
    for secret in ("a-wrong-password", "ditio-secret"):
        assert secret not in ended.printed + logs
    with connect_engine(empty_database_url).connect() as conn:
        status = conn.execute(text("SELECT status, failure FROM reconciliation.run")).one()
    assert status.status == "failed"
    assert "4HSE" in status.failure


def test_a_mix_of_connections_is_refused(tmp_path: Path, server: WorldServer) -> None:
    checkout = Checkout(tmp_path)
    everything = connections(server, "postgresql://nobody@127.0.0.1:1/none")
    checkout.variables = {name: everything[name] for name in list(everything)[:2]}
    ended = checkout.run()
    assert ended.code != 0
    assert "AIRFLOW_CONN_WAREHOUSE_DEFAULT" in ended.printed
