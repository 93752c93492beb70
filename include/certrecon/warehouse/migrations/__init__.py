"""Alembic's environment and the versions of the warehouse's tables."""
