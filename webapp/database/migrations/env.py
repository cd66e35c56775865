"""Runs the migrations on the connection that `webapp.database.migrating` hands over."""

from __future__ import annotations

from alembic import context

from webapp.database.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
