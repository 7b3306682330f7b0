"""Alembic's environment: one connection, given by `core.tenancy.migrate`, and the tables of the core and all plugins."""

from alembic import context

from core.base.db import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=False, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
