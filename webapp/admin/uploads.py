"""A study sent as a zip: study.toml with its folders, unpacked safely."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from huefield.study.records import StudyError

MOST_FILES = 20_000
_FACTOR = 4  # unpacked bytes allowed for one byte of the limit


def unpack_study(stream: BinaryIO, target: Path, max_bytes: int) -> Path:
    """The study.toml of an unpacked archive.

    Args:
        stream: the zip.
        target: an empty folder.
        max_bytes: limit of the upload; four times as much may come out.

    Raises:
        StudyError: no zip, too large, a path that leads outside, or not one study.toml.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MOST_FILES:
                raise StudyError(f"zip: expected at most {MOST_FILES} files, got {len(entries)}")
            left = _FACTOR * max_bytes
            for entry in entries:
                left -= _unpack(archive, entry, target, left)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise StudyError(f"expected a zip with study.toml and its folders: {error}") from error
    found = sorted(target.rglob("study.toml"))
    if len(found) != 1:
        raise StudyError(f"zip: expected one study.toml, found {len(found)}")
    return found[0]


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, limit: int) -> int:
    """Writes one file; its bytes as they came, whatever the archive says of them."""
    parts = PurePosixPath(entry.filename).parts
    if ".." in parts or PurePosixPath(entry.filename).is_absolute() or "\\" in entry.filename:
        raise StudyError(f"zip: the path {entry.filename!r} leads outside")
    path = target.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as source, path.open("wb") as copy:
        for block in iter(lambda: source.read(1 << 20), b""):
            if copy.tell() + len(block) > limit:
                raise StudyError("zip: too large when unpacked")
            copy.write(block)
        return copy.tell()
