"""The whole DAG in a real Airflow among canaries: logs at DEBUG, metadata, files, warehouse, arguments of processes.

Once succeeding with a rejected row, once failing with an error that repeats everything, once with the
query key and a redirect, and once with a connection that cannot be read.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from certrecon.warehouse.engine import connect_engine
from tests.contract.world_server import CLIENT, USER
from tests.e2e.quickstart import Checkout, Ended
from tests.privacy import places
from tests.privacy.bodies import FOURHSE_SHAPES, SHARED
from tests.privacy.canaries import Aviary, Kind
from tests.privacy.places import Place, PlaceKind
from tests.privacy.planted import planted_world
from tests.privacy.search import Search, told
from tests.privacy.vendors import CanaryServer
from tests.privacy.watching import Arguments

DEBUG = {"AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG", "AIRFLOW__LOGGING__FAB_LOGGING_LEVEL": "DEBUG",
         "PYTHONASYNCIODEBUG": "1", "PYTHONDEVMODE": "0"}  # fmt: skip
SHAPES = {shape.name: shape.answer for shape in SHARED + FOURHSE_SHAPES}


@dataclass
class Runs:
    """Runs of the DAG that are watched.

    Attributes:
        checkout: Where they run.
        engine: Their warehouse, through the owner's connection.
        ended: How each ended.
        arguments: The arguments of every process meanwhile.
    """

    checkout: Checkout
    engine: Engine
    ended: dict[str, Ended]
    arguments: Arguments

    def places(self) -> Iterator[Place]:
        """Yield everything that the runs left behind."""
        for name, ended in self.ended.items():
            yield Place(f"{name}, terminal", PlaceKind.PRINTED, ended.printed.encode())
        yield Place("arguments of processes", PlaceKind.ARGUMENTS, b"\n".join(self.arguments.seen))
        yield from places.airflow_home(self.checkout.var)
        yield from places.files(self.checkout.folder / "evidence")
        yield from places.warehouse(self.engine)


@pytest.fixture(scope="module")
def login(birds: Aviary, postgres_url: str) -> Iterator[tuple[str, str]]:
    """A user of PostgreSQL whose password is a canary."""
    user, password = f"canary_{secrets.token_hex(4)}", birds.plant(Kind.SECRET, "warehouse password")
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        made = sql.SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}")
        conn.execute(made.format(sql.Identifier(user), sql.Literal(password)))
        yield user, password
        conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(user)))


def _connections(vendors: CanaryServer, warehouse: str) -> dict[str, str]:
    fourhse = {
        "conn_type": "fourhse", "host": f"{vendors.url}/hse", "login": USER["username"], "password": vendors.password,
        "extra": {"token_url": f"{vendors.url}/hse/token", "client_id": USER["client_id"],
                  "client_secret": vendors.client_secret},
    }  # fmt: skip
    ditio = {
        "conn_type": "ditio", "host": f"{vendors.url}/ditio/core", "login": CLIENT["client_id"],
        "password": vendors.ditio_secret, "extra": {"token_url": f"{vendors.url}/ditio/token"},
    }  # fmt: skip
    return {
        "AIRFLOW_CONN_FOURHSE_DEFAULT": json.dumps(fourhse),
        "AIRFLOW_CONN_DITIO_DEFAULT": json.dumps(ditio),
        "AIRFLOW_CONN_WAREHOUSE_DEFAULT": warehouse,
    }


@pytest.fixture(scope="module")
def runs(
    vendors: CanaryServer,
    birds: Aviary,
    login: tuple[str, str],
    postgres_url: str,
    new_database: Callable[..., str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Runs]:
    """Four runs of the DAG."""
    vendors.speak_of(planted_world(birds))
    database = make_url(new_database()).set(username=login[0], password=login[1], drivername="postgresql")
    engine = connect_engine(database.render_as_string(hide_password=False))
    connections = _connections(vendors, database.render_as_string(hide_password=False))
    checkout = Checkout(tmp_path_factory.mktemp("canaries"), connections | DEBUG)
    with Arguments() as arguments:
        found = Runs(checkout, engine, {}, arguments)
        for name, run in _each(checkout, vendors).items():
            found.ended[name] = run()
            vendors.interferences = {}
    yield found
    engine.dispose()
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database.database or "")))


def _each(checkout: Checkout, vendors: CanaryServer) -> dict[str, Callable[[], Ended]]:
    by_key = {"conn_type": "fourhse", "host": f"{vendors.url}/hse", "extra": {"access_token": vendors.api_key}}
    unreadable = f'{{"conn_type": "fourhse", "password": "{vendors.api_key}"'
    publish = {"mode": "publish"}

    def success() -> Ended:
        return checkout.run(publish)

    def error() -> Ended:
        vendors.interferences = {"fourhse.certificate": SHAPES["Yii 403"]}
        return checkout.run(publish)

    def redirect() -> Ended:
        vendors.interferences = {"fourhse.person": SHAPES["redirect to a secret"]}
        return checkout.run(publish, AIRFLOW_CONN_FOURHSE_DEFAULT=json.dumps(by_key))

    def connection() -> Ended:
        return checkout.run(publish, AIRFLOW_CONN_FOURHSE_DEFAULT=unreadable)

    return {"success": success, "error": error, "redirect": redirect, "connection": connection}


@pytest.mark.slow
def test_the_runs_end_as_they_should(runs: Runs) -> None:
    assert {name: ended.code for name, ended in runs.ended.items()} == {
        "success": 0, "error": 1, "redirect": 1, "connection": 1,
    }, {name: ended.last_line for name, ended in runs.ended.items()}  # fmt: skip
    with runs.engine.connect() as conn:
        statuses = conn.execute(text("SELECT status FROM reconciliation.run ORDER BY run_seq")).scalars().all()
    assert statuses[0] == "succeeded_with_rejects"
    assert set(statuses[1:]) == {"failed"}


@pytest.mark.slow
def test_no_canary_is_anywhere(runs: Runs, birds: Aviary, figures: list[str]) -> None:
    search = Search(birds)
    hits = search.look(runs.places())
    figures.append(
        f"Airflow, {len(runs.ended)} runs: {search.figures(len(hits))}; {runs.arguments.looks} looks at arguments"
    )
    assert hits == [], told(hits)
    seen = {place for kind, place in search.found if kind is Kind.CONTROL}
    assert seen >= {PlaceKind.INPUTS, PlaceKind.REPORT, PlaceKind.WAREHOUSE}
    assert search.places[PlaceKind.METADATA] >= 2, "the database and its rows"
    assert search.found[Kind.FIELD, PlaceKind.METADATA] > 0, "XCom is in it"


@pytest.mark.slow
def test_the_log_is_at_debug(runs: Runs) -> None:
    logs = [path.read_text(encoding="utf-8", errors="replace") for path in Path(runs.checkout.var).rglob("*.log")]
    assert sum(len(log) for log in logs if "DEBUG" in log.upper()) > 100_000


@pytest.mark.slow
def test_nobody_else_can_read_what_a_run_leaves_behind(runs: Runs) -> None:
    everything = [runs.checkout.var, *runs.checkout.var.rglob("*"), *(runs.checkout.folder / "evidence").rglob("*")]
    assert len(everything) > 50
    assert [str(path) for path in everything if not path.is_symlink() and path.stat().st_mode & 0o027] == []
