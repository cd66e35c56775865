"""The tables of studies, as they are now; `migrations` says how they came to be so.

Times are seconds since 1970 (UTC). Ids that leave the server are the random `key` columns, never
the numbers.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _part_of(table: str, name: str = "") -> Column[int]:
    """A reference to a row whose deletion takes this one with it."""
    column: Column[int] = Column(
        name or f"{table}_id",
        Integer,
        ForeignKey(f"{table}.id", ondelete="CASCADE"),
        nullable=False,
    )
    return column


STUDY = Table(
    "study",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String(48), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(8), nullable=False),  # draft, open, closed
    Column("document", Text, nullable=False),  # frozen: definition and pictures, canonical JSON
    Column("hash", String(64), nullable=False),
    Column("secret", String(64), nullable=False),  # keys ids and addresses of this study
    Column("created_at", Float, nullable=False),
    Column("opened_at", Float),
    Column("closed_at", Float),
    Column("joined", Integer, nullable=False, default=0),  # participants ever, withdrawn included
    UniqueConstraint("name", "version"),
    CheckConstraint("state IN ('draft', 'open', 'closed')", name="state"),
)

PICTURE = Table(
    "picture",
    METADATA,
    Column("id", Integer, primary_key=True),
    _part_of("study"),
    Column("dataset", String(64), nullable=False),
    Column("photo", String(255), nullable=False),
    Column("method", String(80), nullable=False),
    Column("sha256", String(64), nullable=False),
    UniqueConstraint("study_id", "dataset", "photo", "method"),
)

CELL = Table(
    "cell",
    METADATA,
    Column("id", Integer, primary_key=True),
    _part_of("study"),
    Column("dataset", String(64), nullable=False),
    Column("first", String(80), nullable=False),
    Column("second", String(80), nullable=False),
    Column("photo", String(255), nullable=False),
    Column("planned", Integer, nullable=False, default=0),  # answered, or on a live person's plan
    UniqueConstraint("study_id", "dataset", "first", "second", "photo"),
)

INVITATION = Table(
    "invitation",
    METADATA,
    Column("id", Integer, primary_key=True),
    _part_of("study"),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", Float, nullable=False),
    Column("used_at", Float),
)

PARTICIPANT = Table(
    "participant",
    METADATA,
    Column("id", Integer, primary_key=True),
    _part_of("study"),
    Column("number", Integer, nullable=False),  # seeds the plan
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("withdrawal_hash", String(64), nullable=False),
    Column("source", String(12), nullable=False),  # open, invitation, prolific, mturk
    Column("external_id", String(255)),  # who, in the words of the source; one participation each
    Column("external_session", String(255)),  # proves on return that it is the same visit
    Column("state", String(10), nullable=False),  # consented, finished, dropped, withdrawn
    Column("consented_at", Float, nullable=False),
    Column("consent_hash", String(64), nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("color_vision", String(12)),  # typical, deficient, unsure
    Column("screen_steps", Integer),  # grey steps told apart
    Column("viewport_width", Integer),
    Column("viewport_height", Integer),
    Column("pixel_ratio", Float),
    Column("pointer", String(8)),  # fine, coarse
    UniqueConstraint("study_id", "number"),
    UniqueConstraint("study_id", "source", "external_id"),
    Index("ix_participant_study_id_withdrawal_hash", "study_id", "withdrawal_hash"),
)

TRIAL = Table(
    "trial",
    METADATA,
    Column("id", Integer, primary_key=True),
    _part_of("participant"),
    Column("key", String(32), nullable=False, unique=True),
    Column("position", Integer, nullable=False),
    Column("kind", String(8), nullable=False),  # practice, trial, check, repeat
    Column("cell_id", Integer, ForeignKey("cell.id", ondelete="CASCADE")),  # of judged trials
    Column("dataset", String(64), nullable=False),
    Column("photo", String(255), nullable=False),
    Column("left", String(80), nullable=False),
    Column("right", String(80), nullable=False),
    Column("repeats", Integer),
    Column("answer", String(5), nullable=False, default=""),
    Column("answered", Boolean, nullable=False, default=False),
    UniqueConstraint("participant_id", "position"),
)

VOTE = Table(
    "vote",
    METADATA,
    # The trial is the key: a second vote on it cannot exist.
    Column("trial_id", Integer, ForeignKey("trial.id", ondelete="CASCADE"), primary_key=True),
    Column("choice", String(10), nullable=False),  # left, right, cant-tell, timeout
    Column("client_key", String(64), nullable=False),
    Column("response_ms", Float, nullable=False),
    Column("received_at", Float, nullable=False),
    Column("viewport_width", Integer, nullable=False),
    Column("viewport_height", Integer, nullable=False),
    Column("pixel_ratio", Float, nullable=False),
    Column("focus_losses", Integer, nullable=False),
    Column("hidden_ms", Float, nullable=False),
    Column("pauses", Integer, nullable=False),
    Column("shows", Integer, nullable=False),  # how often the pictures were put up for this answer
    Column("input", String(8), nullable=False),  # keyboard, touch, mouse, pen, none
)

ADMIN = Table(
    "admin",
    METADATA,
    Column("id", Integer, primary_key=True),  # one row
    Column("password_hash", String(255), nullable=False),
    Column("version", Integer, nullable=False),  # ends the sessions of older passwords
)

LOGIN_FAILURE = Table(
    "login_failure",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False, index=True),
    Column("origin", String(64), nullable=False),  # keyed hash of where it came from
)
