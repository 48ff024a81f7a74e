"""What silent tenants would have been shown, counted by day and topic. It holds no patient data."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_KEY = ("day", "tenant", "service", "rule_version", "topic")


def upgrade() -> None:
    op.create_table(
        "silent_counts",
        *(sa.Column(name, sa.Text(), nullable=False) for name in _KEY),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(*_KEY),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("silent_counts")
