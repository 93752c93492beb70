"""What each role may do, table by table and column by column, each tried as a statement by a user who is in that role alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from certrecon.warehouse.roles import AUDITOR, OWNER, ROLES, WRITER
from certrecon.warehouse.tables import SCHEMA, metadata
from tests.integration.warehouse.logins import login_in

REFUSED = "42501"
"""PostgreSQL's code for a right that is missing."""
# S = SELECT, I = INSERT, U = UPDATE of some columns, D = DELETE, T = TRUNCATE, A = ALTER.
MATRIX = """
table               writer  auditor
approval            SI      S
change_hint         SIUD    S
claim               SIU     S
claim_person        SID     S
created_link        SI      S
dangling_link       SIU     S
ditio_attempt       SI      S
ditio_upsert        SIU     S
evidence_purge      SI      S
finding_catalogue   SIU     S
installation        S       S
linking             SI      S
pseudonymisation    SI      S
removal             SI      S
run                 SIU     S
settings_version    SI      S
webhook_address     SIU     S
withdrawn_upsert    SIU     S
"""
ALLOWED = {
    table: {WRITER: writer, AUDITOR: auditor} for table, writer, auditor in map(str.split, MATRIX.split("\n")[2:-1])
}
UPDATABLE = {
    "change_hint": "settled_run_seq",
    "claim": "ended_run_seq resource_id person_name employee_number detail pseudonymisation_id pseudonym_sha256",
    "dangling_link": "ended_run_seq",
    "webhook_address": "revoked_at revoked_by",
    "withdrawn_upsert": "ended_run_seq",
    "ditio_upsert": "*",
    "finding_catalogue": "severity owner title advice overridable",
    "run": "status failure finished_at certificates links persons employees claims sent withdrawn tenants dispositions "
    "findings guards evidence_uri inputs_sha256 outcome_sha256 records chain_no previous_sha256 chain_sha256",
}
"""Columns that the writer may change: an update of any other is refused, whatever the row."""
STATEMENTS = {
    "S": "SELECT * FROM {table} WHERE false",
    "I": "INSERT INTO {table} DEFAULT VALUES",
    "D": "DELETE FROM {table} WHERE false",
    "T": "TRUNCATE {table} CASCADE",
    "A": "ALTER TABLE {table} DISABLE TRIGGER USER",
}
OUT_OF_REACH = {
    "a table in the schema": f"CREATE TABLE {SCHEMA}.other (a int)",
    "a view in the schema": f"CREATE VIEW {SCHEMA}.other AS SELECT 1",
    "a function in the schema": f"CREATE FUNCTION {SCHEMA}.other() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "another function in place of ours": f"CREATE OR REPLACE FUNCTION {SCHEMA}.claim_as_of(bigint) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "dropping a table": f"DROP TABLE {SCHEMA}.run CASCADE",
    "dropping a view": f"DROP VIEW {SCHEMA}.claim_current CASCADE",
    "a rule": f"CREATE RULE never AS ON INSERT TO {SCHEMA}.run DO INSTEAD NOTHING",
    "a trigger": f"CREATE TRIGGER never BEFORE INSERT ON {SCHEMA}.run EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "an index": f"CREATE INDEX ON {SCHEMA}.run (status)",
    "dropping the schema": f"DROP SCHEMA {SCHEMA} CASCADE",
}
"""What only the owner of the schema may do."""
NOBODY = {
    "a table in public": "CREATE TABLE public.other (a int)",
    "a schema": "CREATE SCHEMA other",
    "a role": "CREATE ROLE other",
    "a superuser": f"ALTER ROLE {WRITER} SUPERUSER",
    "a password": "ALTER ROLE CURRENT_USER CREATEROLE",
    "another member": f"GRANT {OWNER} TO {AUDITOR}",
    "the superuser's role": "SET ROLE {superuser}",
    "the superuser's session": "SET SESSION AUTHORIZATION {superuser}",
    "triggers off": "SET session_replication_role = replica",
    "a reload": "SELECT pg_reload_conf()",
    "a file": "SELECT pg_read_file('/etc/passwd')",
    "a file's bytes": "SELECT pg_read_binary_file('/etc/passwd')",
    "a folder": "SELECT pg_ls_dir('/')",
    "a file as a large object": "SELECT lo_import('/etc/passwd')",
    "a large object as a file": "SELECT lo_export(1, '/tmp/never')",
    "a program": "COPY (SELECT 1) TO PROGRAM 'true'",
    "writing a file": "COPY (SELECT 1) TO '/tmp/never'",
    "the server's log": "SELECT pg_current_logfile()",
    "passwords": "SELECT rolpassword FROM pg_authid",
    "another language": "CREATE LANGUAGE other HANDLER plpgsql_call_handler",
    "a C function": "CREATE FUNCTION pg_temp.other() RETURNS int LANGUAGE c AS 'libc', 'system'",
    "a foreign server": "CREATE FOREIGN DATA WRAPPER other",
    "an event trigger": "CREATE EVENT TRIGGER never ON ddl_command_start EXECUTE FUNCTION event_trigger_never()",
    "a publication of everything": "CREATE PUBLICATION other FOR ALL TABLES",
    "a replication slot": "SELECT pg_create_physical_replication_slot('never')",
    "a switch of the log": "SELECT pg_switch_wal()",
}
"""What no role of the project may do, the owner's included."""
ALONE = {
    "a database": "CREATE DATABASE other",
    "a setting of the server": "ALTER SYSTEM SET work_mem = '1MB'",
    "a tablespace": "CREATE TABLESPACE other LOCATION '/tmp'",
    "a program": "COPY (SELECT 1) TO PROGRAM 'true'",
}
"""The same, for statements that run in no transaction."""


@dataclass(frozen=True)
class User:
    """A user who is in one role."""

    role: str
    connection: psycopg.Connection[Any]

    def outcome(self, statement: str) -> str | None:
        """Try a statement in the role, undo it, and return the code of its error, or None."""
        with self.connection.transaction(force_rollback=True):
            self.connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(self.role)))
            try:
                with self.connection.transaction():
                    self.connection.execute(statement)  # type: ignore[arg-type]
            except psycopg.Error as error:
                return error.sqlstate or "none"
        return None

    def may(self, statement: str) -> bool:
        """Return whether the right is there: the statement works, or a constraint or trigger stops the row itself."""
        code = self.outcome(statement)
        assert code in {REFUSED, None} or code.startswith(("23", "P0")), f"{statement}: {code}"
        return code != REFUSED


@pytest.fixture
def user_of(postgres_url: str, warehouse_url: str) -> Iterator[Callable[[str], User]]:
    """A function that gives the user of a role."""
    with _users(postgres_url, warehouse_url) as users:
        yield users.__getitem__


@contextmanager
def _users(postgres_url: str, warehouse_url: str) -> Iterator[dict[str, User]]:
    logins = [login_in(postgres_url, warehouse_url, role) for role in ROLES]
    addresses = [login.__enter__() for login in logins]
    try:
        yield {
            role: User(role, psycopg.connect(url, autocommit=True)) for role, url in zip(ROLES, addresses, strict=True)
        }
    finally:
        for login in logins:
            login.__exit__(None, None, None)


def test_the_matrix_has_every_table() -> None:
    assert sorted(ALLOWED) == sorted(table.name for table in metadata.tables.values())
    assert {table for table, rights in ALLOWED.items() if "U" in rights[WRITER]} == set(UPDATABLE)


@pytest.mark.parametrize("role", [WRITER, AUDITOR])
def test_what_a_role_may_do_to_each_table(user_of: Callable[[str], User], role: str) -> None:
    user = user_of(role)
    found = {
        table: {
            right for right, statement in STATEMENTS.items() if user.may(statement.format(table=f"{SCHEMA}.{table}"))
        }
        for table in ALLOWED
    }
    assert found == {table: set(rights[role]) - {"U"} for table, rights in ALLOWED.items()}


@pytest.mark.parametrize("role", [WRITER, AUDITOR])
def test_which_columns_a_role_may_change(user_of: Callable[[str], User], role: str) -> None:
    user = user_of(role)
    for table in metadata.tables.values():
        columns = [column.name for column in table.columns]
        found = {
            name for name in columns if user.may(f'UPDATE {SCHEMA}.{table.name} SET "{name}" = DEFAULT WHERE false')
        }
        wanted = UPDATABLE.get(table.name, "") if role == WRITER else ""
        assert found == set(columns if wanted == "*" else wanted.split()), table.name


@pytest.mark.parametrize("role", [WRITER, AUDITOR])
def test_every_view_and_function_can_be_read(user_of: Callable[[str], User], role: str) -> None:
    user = user_of(role)
    views = user.connection.execute("SELECT viewname FROM pg_views WHERE schemaname = %s", (SCHEMA,)).fetchall()
    assert len(views) >= 3
    assert [view for (view,) in views if not user.may(f"SELECT * FROM {SCHEMA}.{view} LIMIT 0")] == []
    assert user.may(f"SELECT * FROM {SCHEMA}.claim_as_of(1)")
    assert user.may(f"SELECT * FROM {SCHEMA}.reconciliation_report_of(1)")


@pytest.mark.parametrize(("role", "what"), list(product([WRITER, AUDITOR], OUT_OF_REACH)))
def test_what_is_the_owners_alone(user_of: Callable[[str], User], role: str, what: str) -> None:
    assert user_of(role).outcome(OUT_OF_REACH[what]) == REFUSED


@pytest.mark.parametrize(("role", "what"), list(product(ROLES, NOBODY)))
def test_what_is_nobodys(postgres_url: str, user_of: Callable[[str], User], role: str, what: str) -> None:
    superuser = make_url(postgres_url).username
    assert user_of(role).outcome(NOBODY[what].format(superuser=f'"{superuser}"')) == REFUSED


@pytest.mark.parametrize(("role", "what"), list(product(ROLES, ALONE)))
def test_what_is_nobodys_in_no_transaction(user_of: Callable[[str], User], role: str, what: str) -> None:
    connection = user_of(role).connection
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(ALONE[what])  # type: ignore[arg-type]


@pytest.mark.parametrize("role", [WRITER, AUDITOR])
def test_nobody_but_the_owner_gives_rights_away(user_of: Callable[[str], User], role: str) -> None:
    """PostgreSQL only warns of a grant that gives nothing, so its effect is looked at."""
    user = user_of(role)
    rights = "SELECT count(*) FROM information_schema.role_table_grants WHERE table_schema = %s"
    with user.connection.transaction(force_rollback=True):
        user.connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
        before = user.connection.execute(rights, (SCHEMA,)).fetchone()
        user.connection.execute(f"GRANT ALL ON {SCHEMA}.run TO PUBLIC")  # type: ignore[arg-type]
        assert user.connection.execute(rights, (SCHEMA,)).fetchone() == before


@pytest.mark.parametrize(("role", "other"), [(one, other) for one, other in product(ROLES, ROLES) if one != other])
def test_no_role_leads_to_another(user_of: Callable[[str], User], role: str, other: str) -> None:
    user = user_of(role)
    assert user.outcome(f"SET ROLE {other}") == REFUSED
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        user.connection.execute(f"SET ROLE {other}")  # type: ignore[arg-type]
    assert user.outcome(f"SET SESSION AUTHORIZATION {other}") == REFUSED


@pytest.mark.parametrize("role", [WRITER, AUDITOR])
def test_without_its_role_a_user_sees_nothing(user_of: Callable[[str], User], role: str) -> None:
    for table in ALLOWED:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            user_of(role).connection.execute(f"SELECT * FROM {SCHEMA}.{table}")  # type: ignore[arg-type]


def test_the_auditor_can_keep_nothing_in_the_database(user_of: Callable[[str], User]) -> None:
    for what in (
        "SELECT nextval('reconciliation.run_run_seq_seq')",
        "SELECT setval('reconciliation.run_run_seq_seq', 1)",
    ):
        assert user_of(AUDITOR).outcome(what) == REFUSED


def test_the_owner_may_change_the_schema_but_not_what_is_finalised(user_of: Callable[[str], User]) -> None:
    """Migrations are the owner's; the triggers that protect records hold for the owner too until they are dropped."""
    owner = user_of(OWNER)
    assert owner.may(f"CREATE TABLE {SCHEMA}.other (a int)")
    assert owner.may(f"ALTER TABLE {SCHEMA}.run ADD COLUMN other int")
    for table in ("run", "ditio_attempt", "approval", "evidence_purge"):
        assert owner.outcome(f"TRUNCATE {SCHEMA}.{table} CASCADE") not in {None, REFUSED}, table


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_no_user_and_has_no_powers_of_its_own(
    postgres_url: str, user_of: Callable[[str], User], role: str
) -> None:
    user_of(role)
    powers = "rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
    with psycopg.connect(postgres_url) as conn:
        found = conn.execute(f"SELECT {powers} FROM pg_roles WHERE rolname = %s", (role,)).fetchone()  # type: ignore[arg-type]
        assert found == (False,) * 6
        groups = conn.execute("SELECT count(*) FROM pg_auth_members WHERE member = %s::regrole", (role,)).fetchone()
        assert groups == (0,), "it is in no other role, such as pg_read_server_files"
