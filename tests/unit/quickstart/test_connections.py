from __future__ import annotations

import json

import pytest

from certrecon_quickstart.connections import DITIO, FOURHSE, WAREHOUSE, read_request, warehouse_connection
from certrecon_quickstart.errors import QuickstartError
from certrecon_quickstart.migrations import warehouse_url

ALL_SET = {FOURHSE: "{}", DITIO: "{}", WAREHOUSE: "{}"}


@pytest.mark.parametrize(
    ("environment", "sandbox", "conf", "told"),
    [
        pytest.param({}, True, {}, False, id="nothing set: sandbox, the DAG's own defaults"),
        pytest.param({"CONF": " "}, True, {}, False, id="blank conf"),
        pytest.param({"CONF": '{"resend": true}'}, True, {"resend": True}, False, id="sandbox with conf"),
        pytest.param(dict.fromkeys(ALL_SET, " "), True, {}, False, id="blank connections are none"),
        pytest.param(ALL_SET, False, {"mode": "dry_run"}, True, id="real systems: dry run, and said so"),
        pytest.param(
            {**ALL_SET, "CONF": '{"mode": "publish"}'},
            False,
            {"mode": "publish"},
            False,
            id="real and asked to",
        ),
        pytest.param(
            {**ALL_SET, "CONF": '{"resend": true}'},
            False,
            {"resend": True, "mode": "dry_run"},
            True,
            id="other parameters do not publish",
        ),
    ],
)
def test_request(environment: dict[str, str], sandbox: bool, conf: dict[str, object], told: bool) -> None:
    request = read_request(environment)
    assert (request.sandbox, request.conf, request.defaulted_to_dry_run) == (sandbox, conf, told)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({FOURHSE: "{}"}, [f"{FOURHSE} is set", f"{DITIO} and {WAREHOUSE} are not"]),
        ({FOURHSE: "{}", DITIO: "{}"}, [f"{FOURHSE} and {DITIO} are set", f"{WAREHOUSE} is not"]),
        ({WAREHOUSE: "{}", DITIO: " "}, [f"{WAREHOUSE} is set", f"{FOURHSE} and {DITIO} are not"]),
        ({"CONF": "{mode: publish}"}, ["CONF is not JSON", 'CONF=\'{"mode": "dry_run"}\'']),
        ({"CONF": '["publish"]'}, ["CONF must be a JSON object"]),
        ({"CERTIFICATES": "-1"}, ["CERTIFICATES", "'-1'"]),
        ({"CERTIFICATES": "0"}, ["CERTIFICATES", "'0'"]),
        ({"CERTIFICATES": "1e3"}, ["CERTIFICATES", "'1e3'"]),
        ({"SEED": "x"}, ["SEED", "'x'"]),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_refused(given: dict[str, str], words: list[str]) -> None:
    with pytest.raises(QuickstartError) as caught:
        read_request(given)
    for word in words:
        assert word in str(caught.value)


def test_a_refusal_shows_no_connection() -> None:
    with pytest.raises(QuickstartError) as caught:
        read_request({FOURHSE: '{"password": "hush"}'})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        (
            warehouse_connection(5433, "certrecon", "p@ss/word", "certrecon"),
            "postgresql+psycopg://certrecon:p%40ss%2Fword@127.0.0.1:5433/certrecon",
        ),
        ("postgres://u:p%40w@db:5432/wh", "postgresql+psycopg://u:p%40w@db:5432/wh"),
        ("postgresql://u@db/wh?sslmode=require", "postgresql+psycopg://u@db/wh?sslmode=require"),
        (
            json.dumps({"conn_type": "postgres", "host": "db", "schema": "wh", "extra": {"sslmode": "require"}}),
            "postgresql+psycopg://db/wh?sslmode=require",
        ),
        (
            json.dumps({"conn_type": "postgres", "host": "db", "extra": '{"connect_timeout": 3}'}),
            "postgresql+psycopg://db?connect_timeout=3",
        ),
    ],
    ids=["made here", "uri", "uri with options", "json with options", "json with options as text"],
)
def test_warehouse_url(connection: str, url: str) -> None:
    assert warehouse_url(connection).render_as_string(hide_password=False) == url


@pytest.mark.parametrize(
    "connection",
    ["{", "[]", '{"conn_type": "mysql", "host": "secret-host"}', "mysql://u:hush@db/x", "db:5432"],
)
def test_warehouse_url_refuses(connection: str) -> None:
    with pytest.raises(QuickstartError, match=WAREHOUSE) as caught:
        warehouse_url(connection)
    assert "hush" not in str(caught.value)
