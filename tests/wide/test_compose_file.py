"""docker-compose.yaml as a file: the specification's schema, and what must hold for every service of it."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest

from certrecon_sandbox.credentials import connection_variables
from tests.wide.compose import (
    ROOT,
    SANDBOX_VARIABLES,
    MissingVariableError,
    document,
    filled_in,
    read_services,
    read_variables,
    references,
)

SCHEMA = ROOT / "tests" / "data" / "compose_spec" / "compose-spec.json"
SERVICES = document()["services"]
AIRFLOW = sorted(set(SERVICES) - {"postgres", "redis", "sandbox"})
ALWAYS_ON = sorted(set(SERVICES) - {"init"})
_SECRET = re.compile(r"PASSWORD|SECRET|FERNET|_CONN_")


def sandbox_services() -> dict[str, Any]:
    return read_services(read_variables(SANDBOX_VARIABLES), frozenset({"sandbox"}))


def test_the_file_is_what_the_compose_specification_allows() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    errors = jsonschema.Draft202012Validator(schema).iter_errors(document())
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_the_schema_refuses_what_the_specification_does_not_know() -> None:
    wrong = document()
    wrong["services"]["redis"]["helthcheck"] = {}
    with pytest.raises(jsonschema.ValidationError, match="helthcheck"):
        jsonschema.validate(wrong, json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_all_components_are_there() -> None:
    wanted = {"postgres", "redis", "init", "api-server", "scheduler", "dag-processor", "triggerer", "worker", "sandbox"}
    assert set(SERVICES) == wanted


@pytest.mark.parametrize("name", ALWAYS_ON)
def test_a_service_is_watched_and_started_again(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_has_few_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["user"].partition(":")[0] not in {"", "0", "root"}
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")


def test_the_one_open_port_is_the_web_ui_on_this_machine_alone() -> None:
    ports = {name: filled_in(service["ports"], {}) for name, service in SERVICES.items() if "ports" in service}
    assert ports == {"api-server": ["127.0.0.1:8080:8080"]}


def test_no_secret_has_a_default() -> None:
    found = references(document())
    named = {name for name, _ in found if _SECRET.search(name)}
    assert len(named) >= 8
    # A connection may be left empty: it can be typed into Airflow's form.
    wrong = [
        name
        for name, follows in found
        if name in named and not ((follows or "").startswith(":?") or (follows == ":-" and "_CONN_" in name))
    ]
    assert wrong == []


def test_what_is_required_is_said_in_words() -> None:
    required = [follows.removeprefix(":?") for _, follows in references(document()) if follows and ":?" in follows]
    assert all(len(words.split()) >= 3 for words in required)


def test_no_secret_is_written_into_the_file() -> None:
    """Whatever looks like an address with a password takes that password from a variable."""
    text = (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")
    found = re.findall(r"://\w*:([^@\n]+)@", text)
    assert found
    assert [one for one in found if not one.startswith("${")] == []


def test_nothing_starts_without_its_secrets() -> None:
    with pytest.raises(MissingVariableError, match=r"see \.env\.example|password"):
        read_services({})


def test_the_example_names_every_secret_and_gives_none() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    required = {name for name, follows in references(document()) if (follows or "").startswith(":?")}
    assert read_variables(ROOT / ".env.example") == dict.fromkeys(required, "")
    for name, follows in references(document()):
        if f"#{name}=" in text and "_CONN_" not in name:
            assert f"#{name}={(follows or '').removeprefix(':-')}\n" in text, f"{name} has another default"


def test_the_sandbox_starts_only_where_it_is_asked_for() -> None:
    ordinary = read_services(read_variables(SANDBOX_VARIABLES))
    assert "sandbox" not in ordinary
    assert "sandbox" in sandbox_services()


def test_the_sandbox_connections_are_those_of_the_sandbox() -> None:
    variables = read_variables(SANDBOX_VARIABLES)
    for name, wanted in connection_variables(9090, "sandbox").items():
        connection = json.loads(wanted)
        connection["extra"]["allow_http"] = True
        assert json.loads(variables[name]) == connection


def test_a_worker_knows_neither_airflows_database_nor_what_signs_its_tokens() -> None:
    services = sandbox_services()
    secrets = read_variables(SANDBOX_VARIABLES)
    told = " ".join(services["worker"].environment.values())
    for name in ("AIRFLOW_DB_PASSWORD", "AIRFLOW_FERNET_KEY", "AIRFLOW_JWT_SECRET", "WAREHOUSE_MIGRATOR_PASSWORD"):
        assert secrets[name] not in told, name


@pytest.mark.parametrize("name", sorted(set(AIRFLOW) - {"worker"}))
def test_only_workers_know_the_vendors_passwords(name: str) -> None:
    assert not {"AIRFLOW_CONN_FOURHSE_DEFAULT", "AIRFLOW_CONN_DITIO_DEFAULT"} & set(
        sandbox_services()[name].environment
    )


def test_only_the_migration_may_own_the_warehouse() -> None:
    variables = read_variables(SANDBOX_VARIABLES)
    holders = {
        name
        for name, service in sandbox_services().items()
        if any(variables["WAREHOUSE_MIGRATOR_PASSWORD"] in value for value in service.environment.values())
    }
    assert holders == {"init", "postgres"}


@pytest.mark.parametrize("name", ["worker", "api-server"])
def test_evidence_is_on_one_volume_for_whoever_writes_or_shows_it(name: str) -> None:
    assert sandbox_services()[name].volumes["/opt/certrecon/var/evidence"] == "evidence"
    assert "evidence" in document()["volumes"]


@pytest.mark.parametrize("name", ["worker", "api-server"])
def test_the_settings_are_there_for_whoever_runs_tasks_or_starts_linking_from_a_page(name: str) -> None:
    given = read_services(read_variables(SANDBOX_VARIABLES) | {"CERTRECON_CONFIG_DIR": "/srv/settings"})
    assert given[name].volumes["/opt/certrecon/include/config"] == "/srv/settings"


def test_testing_connections_is_off_until_somebody_switches_it_on() -> None:
    found = [
        read_services(read_variables(SANDBOX_VARIABLES) | more)["api-server"].environment[
            "AIRFLOW__CORE__TEST_CONNECTION"
        ]
        for more in ({"AIRFLOW_TEST_CONNECTION": ""}, {"AIRFLOW_TEST_CONNECTION": "Enabled"}, {})
    ]
    assert found == ["Disabled", "Enabled", "Enabled"]


def test_the_web_uis_passwords_are_made_before_airflow_would_print_them() -> None:
    words = " ".join(sandbox_services()["api-server"].command)
    assert words.index("web-passwords") < words.index("airflow api-server")


def test_the_components_run_the_same_dag_files_with_the_same_variables() -> None:
    read = [
        {
            name: value
            for name, value in service.environment.items()
            if name.startswith("CERTRECON_") and "WEBHOOK" not in name
        }
        for name, service in sandbox_services().items()
        if name in AIRFLOW
    ]
    assert read[0]
    assert all(variables == read[0] for variables in read)


def test_every_variable_that_the_code_reads_reaches_it() -> None:
    """But for the settings file, which has its folder, and the result file, which is for whoever has a shell."""
    read = {
        name
        for folder in ("dags", "plugins", "include/certrecon")
        for file in (ROOT / folder).rglob("*.py")
        for name in re.findall(r"\"(CERTRECON_[A-Z_]+)\"", file.read_text(encoding="utf-8"))
    }
    passed = {name for service in SERVICES.values() for name in service.get("environment", {})}
    assert len(read) >= 10
    assert read - passed == {"CERTRECON_SETTINGS", "CERTRECON_RESULT_FILE"}


def test_there_are_as_many_workers_as_asked_for() -> None:
    variables = read_variables(SANDBOX_VARIABLES)
    assert read_services(variables)["worker"].replicas == 2
    assert read_services(variables | {"WORKERS": "9"})["worker"].replicas == 9


def test_variables_are_filled_in_as_the_specification_says() -> None:
    cases = {
        "${A}": "x", "${B}": "", "${B:-y}": "y", "${EMPTY:-y}": "y", "${EMPTY-y}": "", "${A:-y}": "x", "${A:?why}": "x",
        "$$A": "$A", "${B:-30 3 * * *}": "30 3 * * *",
    }  # fmt: skip
    given = {"A": "x", "EMPTY": ""}
    assert {text: filled_in(text, given) for text in cases} == cases
    for text in ("${B:?why}", "${EMPTY:?why}", "${B?why}"):
        with pytest.raises(MissingVariableError, match="why"):
            filled_in(text, given)
