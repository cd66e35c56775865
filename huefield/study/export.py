"""The form in which a study leaves the server: votes and people as CSV and JSON Lines.

An export is a folder with ``definition.json`` (the frozen document and its hash), ``votes`` and
``participants`` in both forms, and ``dictionary.md``. `analysis` reads nothing else, so a report
can be made anew by anybody who has the folder.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from huefield.study.definition import Definition, canonical, definition_hash
from huefield.study.dictionary import PARTICIPANT_COLUMNS, VOTE_COLUMNS, dictionary_markdown
from huefield.study.reading import definition_from_json
from huefield.study.records import StudyError, read_record

FORMAT = 1
_Row = TypeVar("_Row")


@dataclass(frozen=True)
class ParticipantRow:
    """One person; the columns are explained in `dictionary.PARTICIPANT_COLUMNS`."""

    participant: str
    source: str
    state: str
    consented_at: str
    finished_at: str
    planned: int
    answered: int
    color_vision: str
    screen_steps: int
    viewport_width: int
    viewport_height: int
    pixel_ratio: float
    pointer: str
    external_id: str = ""


@dataclass(frozen=True)
class VoteRow:
    """One answer; the columns are explained in `dictionary.VOTE_COLUMNS`."""

    participant: str
    position: int
    kind: str
    dataset: str
    photo: str
    left: str
    right: str
    repeats: int
    answer: str
    choice: str
    chosen: str
    response_ms: float
    received_at: str
    viewport_width: int
    viewport_height: int
    pixel_ratio: float
    focus_losses: int
    hidden_ms: float
    pauses: int
    shows: int
    input: str


@dataclass(frozen=True)
class StudyExport:
    """Everything that a report is made of.

    Attributes:
        document: the frozen document, canonical JSON.
        participants: everybody who consented and did not withdraw.
        votes: their answers.
    """

    document: str
    participants: tuple[ParticipantRow, ...]
    votes: tuple[VoteRow, ...]

    @property
    def hash(self) -> str:
        """SHA-256 of the frozen document."""
        return definition_hash(self.document)

    @property
    def definition(self) -> Definition:
        """The definition inside the frozen document."""
        return definition_from_json(json.loads(self.document)["definition"])


def export_files(export: StudyExport) -> dict[str, bytes]:
    """The files of an export folder by name; the same bytes for the same votes."""
    people = sorted(export.participants, key=lambda row: row.participant)
    votes = sorted(export.votes, key=lambda row: (row.participant, row.position))
    envelope = {
        "format": FORMAT,
        "hash": export.hash,
        "frozen": json.loads(export.document),
    }
    definition = json.dumps(envelope, indent=2, ensure_ascii=False) + "\n"
    return {
        "definition.json": definition.encode(),
        "participants.csv": _as_csv(list(PARTICIPANT_COLUMNS), people),
        "participants.jsonl": _as_lines(people),
        "votes.csv": _as_csv(list(VOTE_COLUMNS), votes),
        "votes.jsonl": _as_lines(votes),
        "dictionary.md": dictionary_markdown().encode(),
    }


def write_export(export: StudyExport, folder: Path) -> None:
    """Write the files of an export into a folder, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in export_files(export).items():
        (folder / name).write_bytes(data)


def read_export(folder: Path) -> StudyExport:
    """The export in a folder.

    Raises:
        StudyError: a file is missing or broken, or the definition does not match its hash.
    """
    try:
        envelope = json.loads((folder / "definition.json").read_text(encoding="utf-8"))
        document = canonical(envelope["frozen"])
        known = envelope["hash"]
        people = _lines(folder / "participants.jsonl", ParticipantRow)
        votes = _lines(folder / "votes.jsonl", VoteRow)
    except OSError as error:
        raise StudyError(f"{folder} is no export: {error}") from error
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise StudyError(f"{folder / 'definition.json'}: not readable: {error}") from error
    if definition_hash(document) != known:
        raise StudyError(f"{folder / 'definition.json'}: does not match its hash {known}")
    return StudyExport(document, people, votes)


def _lines(path: Path, kind: type[_Row]) -> tuple[_Row, ...]:
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            rows.append(read_record(kind, json.loads(line), ""))
        except (json.JSONDecodeError, StudyError) as error:
            raise StudyError(f"{path}, line {number}: {error}") from error
    return tuple(rows)


def _as_lines(rows: list[Any]) -> bytes:
    return "".join(canonical(asdict(row)) + "\n" for row in rows).encode()


def _as_csv(columns: list[str], rows: list[Any]) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(getattr(row, column)) for column in columns])
    return stream.getvalue().encode()


def _cell(value: object) -> object:
    """A value that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value
