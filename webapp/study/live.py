"""The study that participants see under a name, read cheaply: frozen parts are parsed once."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, case, select

from huefield.study.definition import Definition
from huefield.study.reading import definition_from_json
from webapp.database.tables import STUDY

_KEPT = 32


@dataclass(frozen=True)
class Frozen:
    """What never changes once a study was opened."""

    definition: Definition
    photos: dict[str, tuple[str, ...]]
    sizes: dict[tuple[str, str], tuple[int, int]]  # (dataset, photo) -> width, height


@dataclass(frozen=True)
class LiveStudy:
    """A study as participants meet it."""

    id: int
    name: str
    version: int
    state: str
    secret: str
    frozen: Frozen

    @property
    def definition(self) -> Definition:
        """What the researcher declared."""
        return self.frozen.definition


class LiveStudies:
    """Looks studies up by name or number; safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, str], Frozen] = OrderedDict()

    def named(self, connection: Connection, name: str) -> LiveStudy | None:
        """The open version of that name, else the version closed last; None for drafts."""
        query = (
            _columns()
            .where(STUDY.c.name == name, STUDY.c.state != "draft")
            .order_by(case((STUDY.c.state == "open", 0), else_=1), STUDY.c.version.desc())
        )
        row = connection.execute(query).first()
        return None if row is None else self._live(connection, row)

    def numbered(self, connection: Connection, study_id: int) -> LiveStudy:
        """The study with that number, which must be there."""
        row = connection.execute(_columns().where(STUDY.c.id == study_id)).one()
        return self._live(connection, row)

    def _live(self, connection: Connection, row: Any) -> LiveStudy:
        study_id, name, version, state, digest, secret = row
        key = (study_id, digest)
        with self._lock:
            frozen = self._kept.get(key)
        if frozen is None:
            text = connection.execute(
                select(STUDY.c.document).where(STUDY.c.id == study_id)
            ).scalar_one()
            frozen = _parsed(text)
            with self._lock:
                self._kept[key] = frozen
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return LiveStudy(study_id, name, version, state, secret, frozen)


def _columns() -> Select[Any]:
    return select(
        STUDY.c.id, STUDY.c.name, STUDY.c.version, STUDY.c.state, STUDY.c.hash, STUDY.c.secret
    )


def _parsed(text: str) -> Frozen:
    document = json.loads(text)
    photos: dict[str, dict[str, None]] = {}
    sizes = {}
    for picture in document["pictures"]:
        photos.setdefault(picture["dataset"], {})[picture["photo"]] = None
        sizes[picture["dataset"], picture["photo"]] = (picture["width"], picture["height"])
    return Frozen(
        definition=definition_from_json(document["definition"]),
        photos={dataset: tuple(names) for dataset, names in photos.items()},
        sizes=sizes,
    )
