"""The researcher's side of studies: made, opened, closed, exported and deleted.

`huefield study` and the admin page call this; participants never do.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, delete, func, insert, select, update

from huefield.study.definition import Definition, definition_hash, frozen_document
from huefield.study.pictures import Colorer, gather_pictures
from huefield.study.reading import definition_from_json
from huefield.study.records import StudyError
from huefield.study.schedule import cells_of
from webapp.database import Database
from webapp.database.tables import CELL, INVITATION, PARTICIPANT, PICTURE, STUDY, TRIAL


@dataclass(frozen=True)
class Study:
    """A study as stored; `state` is draft, open or closed, times are seconds since 1970."""

    id: int
    name: str
    version: int
    state: str
    document: str
    hash: str
    secret: str
    created_at: float
    opened_at: float | None
    closed_at: float | None
    joined: int

    @property
    def definition(self) -> Definition:
        """What the researcher declared."""
        return definition_from_json(json.loads(self.document)["definition"])

    @property
    def photos(self) -> dict[str, tuple[str, ...]]:
        """Names of the photos of each dataset."""
        found: dict[str, dict[str, None]] = {}
        for picture in json.loads(self.document)["pictures"]:
            found.setdefault(picture["dataset"], {})[picture["photo"]] = None
        return {dataset: tuple(names) for dataset, names in found.items()}


class StudyStore:
    """Studies in a database, their pictures under a folder.

    Args:
        database: where rows go.
        folder: where picture files go, one folder a study.
        clock: gives the time.
    """

    def __init__(
        self, database: Database, folder: Path, clock: Callable[[], float] = time.time
    ) -> None:
        self.database = database
        self._folder = folder
        self._clock = clock

    def create(self, definition: Definition, base: Path, color: Colorer) -> Study:
        """The draft made of a definition; a draft of the same name and version gives way.

        Args:
            definition: the study.
            base: what relative folders are relative to.
            color: colours by a model.

        Raises:
            StudyError: pictures are missing or unlike, or this version was opened already.
        """
        self._refuse_opened(definition)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._folder / f".new-{secrets.token_hex(8)}"
        fresh.mkdir()
        try:
            pictures = []
            for of_photo in gather_pictures(definition, base, color):
                for picture in of_photo:
                    (fresh / picture.sha256).write_bytes(picture.data)
                    pictures.append(picture.to_json())
            document = frozen_document(definition, pictures)
            with self.database.write() as connection:
                target = self._replace(connection, definition, document)
                if target.exists():
                    shutil.rmtree(target)
                fresh.rename(target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return self.find(definition.name, definition.version)

    def all(self) -> list[Study]:
        """Every study, by name and version."""
        with self.database.read() as connection:
            rows = connection.execute(select(STUDY).order_by(STUDY.c.name, STUDY.c.version))
            return [Study(*row) for row in rows]

    def find(self, name: str, version: int | None = None) -> Study:
        """The study of that name, the newest version unless told.

        Raises:
            StudyError: there is none.
        """
        query = select(STUDY).where(STUDY.c.name == name).order_by(STUDY.c.version.desc())
        if version is not None:
            query = query.where(STUDY.c.version == version)
        with self.database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            told = "" if version is None else f" version {version}"
            raise StudyError(f"no study '{name}'{told}; `huefield study list` shows all")
        return Study(*row)

    def open(self, study: Study) -> Study:
        """The study, open for participants; its definition is frozen from the first time on.

        Raises:
            StudyError: another version of it is open.
        """
        with self.database.write() as connection:
            other = connection.execute(
                select(STUDY.c.version).where(
                    STUDY.c.name == study.name, STUDY.c.state == "open", STUDY.c.id != study.id
                )
            ).first()
            if other is not None:
                raise StudyError(f"version {other.version} of '{study.name}' is open: close it")
            opened = study.opened_at or self._clock()
            connection.execute(
                update(STUDY)
                .where(STUDY.c.id == study.id)
                .values(state="open", opened_at=opened, closed_at=None)
            )
        return self.find(study.name, study.version)

    def close(self, study: Study) -> Study:
        """The study, closed: nobody can join, and who is in the middle is told so.

        Raises:
            StudyError: it was never opened.
        """
        if study.state == "draft":
            raise StudyError(f"'{study.name}' version {study.version} was never opened")
        with self.database.write() as connection:
            connection.execute(
                update(STUDY)
                .where(STUDY.c.id == study.id)
                .values(state="closed", closed_at=study.closed_at or self._clock())
            )
        return self.find(study.name, study.version)

    def delete(self, study: Study) -> None:
        """Delete a study with its pictures, people and votes."""
        with self.database.write() as connection:
            connection.execute(delete(STUDY).where(STUDY.c.id == study.id))
        shutil.rmtree(self._place(study.name, study.version), ignore_errors=True)

    def invite(self, study: Study, count: int) -> list[str]:
        """Fresh single-use tokens; only their hashes are kept.

        Raises:
            StudyError: the study takes no invitations.
        """
        if not study.definition.recruitment.invitations:
            raise StudyError(f"'{study.name}' takes no invitations: recruitment.invitations")
        tokens = [secrets.token_urlsafe(18) for _ in range(count)]
        rows = [
            {"study_id": study.id, "token_hash": hashed(token), "created_at": self._clock()}
            for token in tokens
        ]
        with self.database.write() as connection:
            connection.execute(insert(INVITATION), rows)
        return tokens

    def picture_data(self, name: str, version: int, sha256: str) -> bytes:
        """The file of a picture of a study."""
        return (self._place(name, version) / sha256).read_bytes()

    def _place(self, name: str, version: int) -> Path:
        return self._folder / f"{name}-{version}"

    def _refuse_opened(self, definition: Definition) -> None:
        for study in self.all():
            same = (study.name, study.version) == (definition.name, definition.version)
            if same and study.opened_at is not None:
                raise StudyError(
                    f"'{study.name}' version {study.version} was opened and is frozen; "
                    f"set version = {study.version + 1} to change it"
                )

    def _replace(self, connection: Connection, definition: Definition, document: str) -> Path:
        """Put the draft's rows in place of an older draft's; where its pictures go."""
        connection.execute(
            delete(STUDY).where(
                STUDY.c.name == definition.name,
                STUDY.c.version == definition.version,
                STUDY.c.opened_at.is_(None),
            )
        )
        study_id = connection.execute(
            insert(STUDY)
            .values(
                name=definition.name,
                version=definition.version,
                state="draft",
                document=document,
                hash=definition_hash(document),
                secret=secrets.token_hex(32),
                created_at=self._clock(),
                joined=0,
            )
            .returning(STUDY.c.id)
        ).scalar_one()
        listed = json.loads(document)["pictures"]
        kept = ("dataset", "photo", "method", "sha256")
        connection.execute(
            insert(PICTURE),
            [{"study_id": study_id} | {name: row[name] for name in kept} for row in listed],
        )
        photos: dict[str, dict[str, None]] = {}
        for row in listed:
            photos.setdefault(row["dataset"], {})[row["photo"]] = None
        names = {dataset: tuple(found) for dataset, found in photos.items()}
        cells = [
            {
                "study_id": study_id,
                "dataset": dataset,
                "first": first,
                "second": second,
                "photo": photo,
                "planned": 0,
            }
            for dataset, first, second, photo in cells_of(definition, names)
        ]
        connection.execute(insert(CELL), cells)
        return self._place(definition.name, definition.version)


def hashed(token: str) -> str:
    """SHA-256 of a token, in hexadecimal: what is kept of secrets that people hold."""
    return hashlib.sha256(token.encode()).hexdigest()


def num_votes(connection: Connection, study_id: int) -> int:
    """Answered trials of a study."""
    query = (
        select(func.count())
        .select_from(TRIAL.join(PARTICIPANT, TRIAL.c.participant_id == PARTICIPANT.c.id))
        .where(PARTICIPANT.c.study_id == study_id, TRIAL.c.answered)
    )
    return int(connection.execute(query).scalar_one())
