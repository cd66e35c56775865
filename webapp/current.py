"""What the current request speaks of: the app's services, its photo, one of its colourings.

Called by the views in `webapp.api` and `webapp.comparison_api`.
"""

from __future__ import annotations

from typing import cast

from flask import current_app

from webapp.guard import session_owner
from webapp.problems import ProblemError
from webapp.storage import PhotoStore, StoredColorization, StoredPhoto
from webapp.workbench import Workbench


def photo_store() -> PhotoStore:
    """The photos of all sessions."""
    return cast(PhotoStore, current_app.extensions["huefield_store"])


def workbench() -> Workbench:
    """What this worker colours with."""
    return cast(Workbench, current_app.extensions["huefield_bench"])


def own_photo(photo_id: str) -> StoredPhoto:
    """A photo of this session.

    Raises:
        ProblemError: 404 where this session has no such photo.
    """
    return photo_store().find(photo_id, session_owner())


def stored_answer(photo: StoredPhoto, key: str, *, comparison: bool = False) -> StoredColorization:
    """A colouring that was made before, or the samples of an earlier method.

    Raises:
        ProblemError: 404 where there is none (any more).
    """
    made = photo_store().load_colorization(photo, key)
    if made is None or ("method" in made.document) != comparison:
        kind, title = (
            ("comparison-not-found", "This comparison is not here")
            if comparison
            else ("colorization-not-found", "This colouring is not here")
        )
        raise ProblemError(404, kind, title, "Ask for it again.")
    return made


def sample_index(made: StoredColorization, index: int) -> int:
    """The index, if the answer has such a sample.

    Raises:
        ProblemError: 404 where it has fewer.
    """
    if index >= len(made.fields):
        raise ProblemError(
            404, "sample-not-found", "No such sample", f"There are {len(made.fields)} samples."
        )
    return index
