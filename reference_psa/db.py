"""The database handle of the PSA and what all its tables share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, MetaData, Row, Select, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column, registry
from uuid_utils import uuid7

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


class Base(DeclarativeBase):
    """Base of all PSA tables."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={
            datetime: DateTime(timezone=True),
            str: Text(),
            dict[str, Any]: JSONB,
            list[str]: JSONB,
        },
    )


db = SQLAlchemy(model_class=Base)

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


def new_id() -> str:
    """A fresh id; ids made later sort later, so that they append to their index."""
    return str(uuid7())


def utcnow() -> datetime:
    """The present instant, with its zone."""
    return datetime.now(UTC)


AnySelect = Select[*tuple[Any, ...]]
"""A query of several columns."""

AnyRow = Row[*tuple[Any, ...]]
"""A row of several columns."""

Id = Annotated[str, mapped_column(String(36), primary_key=True, default=new_id)]
"""The second half of a primary key; the first is always the tenant."""

TenantId = Annotated[str, mapped_column(String(36), primary_key=True)]
"""The first half of a primary key."""

Ref = Annotated[str, mapped_column(String(36))]
"""A column that holds another row's id."""
