"""Users of PostgreSQL who are in one of the project's roles and in nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

PASSWORD = "hunter2"


@contextmanager
def login_in(postgres_url: str, database_url: str, role: str) -> Iterator[str]:
    """Make a user who may take on `role` alone, and yield the database's address for that user.

    As an administrator would by hand: the user inherits nothing, so that every right comes from taking the role on.
    """
    name = f"login_{role}"
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        user = sql.Identifier(name)
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN NOINHERIT PASSWORD {}").format(user, PASSWORD))
        conn.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), user))
    try:
        yield make_url(database_url).set(username=name, password=PASSWORD).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as conn:
            conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (name,))
            conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))
