"""The three roles: who owns the schema, who writes it and who only reads it (design, *Warehouse*).

Roles belong to the whole server, so several databases may make them at once; whose they are and what
they may do belongs to each database. `sql/` holds what each may do.
"""

from __future__ import annotations

import psycopg
from sqlalchemy import Connection

from certrecon.errors import ConnectionSettingsError
from certrecon.warehouse.engine import driver

OWNER, WRITER, AUDITOR = "certrecon_owner", "certrecon_writer", "certrecon_auditor"
ROLES = (OWNER, WRITER, AUDITOR)

# From PostgreSQL 16 on, whoever makes a role is a member of it and may still not take it on.
_MAKE = """
    DO $$
    DECLARE
        wanted text;
        may_take_on text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
    BEGIN
        FOREACH wanted IN ARRAY ARRAY['certrecon_owner', 'certrecon_writer', 'certrecon_auditor'] LOOP
            IF to_regrole(wanted) IS NULL THEN
                BEGIN
                    EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
                EXCEPTION WHEN duplicate_object OR unique_violation THEN
                    NULL;
                END;
            END IF;
            IF NOT pg_has_role(session_user, wanted, may_take_on) THEN
                EXECUTE format('GRANT %I TO %I', wanted, session_user);
            END IF;
        END LOOP;
        IF NOT has_database_privilege('certrecon_writer', current_database(), 'TEMP') THEN
            EXECUTE format('GRANT TEMP ON DATABASE %I TO certrecon_writer', current_database());
        END IF;
    END $$"""
_HAND_OVER = """
    DO $$
    DECLARE
        found text;
    BEGIN
        IF to_regnamespace('reconciliation') IS NULL THEN
            CREATE SCHEMA reconciliation AUTHORIZATION certrecon_owner;
        ELSIF EXISTS (SELECT FROM pg_namespace
                       WHERE nspname = 'reconciliation' AND nspowner <> to_regrole('certrecon_owner')) THEN
            ALTER SCHEMA reconciliation OWNER TO certrecon_owner;
        END IF;
        FOR found IN SELECT oid::regclass FROM pg_class
                      WHERE relnamespace = to_regnamespace('reconciliation') AND relkind IN ('r', 'v')
                        AND relowner <> to_regrole('certrecon_owner') LOOP
            EXECUTE format('ALTER TABLE %s OWNER TO certrecon_owner', found);
        END LOOP;
        FOR found IN SELECT oid::regprocedure FROM pg_proc
                      WHERE pronamespace = to_regnamespace('reconciliation')
                        AND proowner <> to_regrole('certrecon_owner') LOOP
            EXECUTE format('ALTER ROUTINE %s OWNER TO certrecon_owner', found);
        END LOOP;
    END $$"""


def become_owner(conn: Connection) -> None:
    """Make the roles and the schema where they are missing, and go on as their owner until the transaction ends.

    What an earlier version made under the connection's own user becomes the owner's.

    Raises:
        ConnectionSettingsError: The user may not; the message holds the SQL for an administrator.
    """
    try:
        for statement in (_MAKE, _HAND_OVER, f"SET LOCAL ROLE {OWNER}"):
            driver(conn).execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        raise ConnectionSettingsError(_advice(conn)) from None


def _advice(conn: Connection) -> str:
    user = f'"{conn.engine.url.username or ""}"'
    database = f'"{conn.engine.url.database or ""}"'
    made = " ".join(f"CREATE ROLE {role} NOLOGIN;" for role in ROLES)
    return (
        f"The warehouse connection's user {user} may not set up the warehouse's roles. A database administrator runs "
        f"this in the database, leaving out roles that are there, then migrate again: {made} "
        f"GRANT {', '.join(ROLES)} TO {user}; GRANT CREATE ON DATABASE {database} TO {user}; "
        f"GRANT TEMP ON DATABASE {database} TO {WRITER};"
    )
