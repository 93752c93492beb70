"""Kills at seeded moments: a task, PostgreSQL, the sandbox or the scheduler dies, and nothing is lost."""
