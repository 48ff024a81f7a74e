"""The last answer of a registry of trials, shared by all workers and hosts. It holds no patient data."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cds_service.store.column_types import Instant

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "trial_answers",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("fetched_at", Instant(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("studies", sa.LargeBinary(), nullable=False),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("trial_answers")
