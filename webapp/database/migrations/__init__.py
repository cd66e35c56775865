"""Alembic's scripts; `webapp.database.migrating` runs them."""
