"""Runs the migrations inside the transaction that :mod:`cds_service.store.migration` opened."""

from alembic import context

from cds_service.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
