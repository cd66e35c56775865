"""The ways into a study, read from the address of its page and from what the page sends on.

Sources: Prolific's guide to external studies (three URL parameters, completion code and
redirect); Amazon Mechanical Turk's ExternalQuestion (assignmentId, hitId, workerId, turkSubmitTo,
preview by ASSIGNMENT_ID_NOT_AVAILABLE, submission to /mturk/externalSubmit).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from huefield.study.definition import Definition
from webapp.problems import ProblemError
from webapp.study.answers import refused
from webapp.study.joining import Entry

PREVIEW = "ASSIGNMENT_ID_NOT_AVAILABLE"
TURK_SITES = ("https://www.mturk.com", "https://workersandbox.mturk.com")
TURK_FRAMES = ("https://*.mturk.com", "https://*.mturkcontent.com")
_PROLIFIC_ID = re.compile(r"[A-Za-z0-9]{8,64}")
_TURK_ID = re.compile(r"[A-Z0-9]{8,64}")
_INVITATION = re.compile(r"[A-Za-z0-9_-]{16,64}")


def entry_of(parameters: Mapping[str, str], definition: Definition) -> Entry:
    """How somebody came, from the parameters of the page's address.

    Raises:
        ProblemError: 403 when this way is not open, 422 for ids of the wrong form.
    """
    ways = definition.recruitment
    if "PROLIFIC_PID" in parameters:
        _allow(ways.prolific, "Prolific")
        person = _id(parameters, "PROLIFIC_PID", _PROLIFIC_ID)
        _id(parameters, "STUDY_ID", _PROLIFIC_ID)
        return Entry("prolific", person, _id(parameters, "SESSION_ID", _PROLIFIC_ID))
    if "assignmentId" in parameters:
        _allow(ways.mturk, "Mechanical Turk")
        if is_preview(parameters):
            raise ProblemError(403, "preview", "Preview", "Accept the task to take part.")
        worker = _id(parameters, "workerId", _TURK_ID)
        assignment = _id(parameters, "assignmentId", _TURK_ID)
        return Entry("mturk", worker, f"{_id(parameters, 'hitId', _TURK_ID)}/{assignment}")
    if "invitation" in parameters:
        _allow(ways.invitations, "an invitation")
        return Entry("invitation", invitation=_id(parameters, "invitation", _INVITATION))
    if not ways.open_link:
        raise ProblemError(
            403, "no-way-in", "Please use your own link", "This study cannot be joined this way."
        )
    return Entry("open")


def is_preview(parameters: Mapping[str, str]) -> bool:
    """Whether a worker of Mechanical Turk only looks at the task."""
    return parameters.get("assignmentId") == PREVIEW


def turk_submission(parameters: Mapping[str, str]) -> str:
    """Where the finished task is sent; empty when not of Mechanical Turk.

    Raises:
        ProblemError: 422 when the address is none of Mechanical Turk's.
    """
    site = parameters.get("turkSubmitTo", "").rstrip("/")
    if not site:
        return ""
    if site not in TURK_SITES:
        raise refused("turkSubmitTo", f"expected one of {', '.join(TURK_SITES)}")
    return f"{site}/mturk/externalSubmit"


def prolific_return(definition: Definition) -> str:
    """Where Prolific takes people back who finished; empty when it is not used."""
    ways = definition.recruitment
    if not ways.prolific:
        return ""
    return f"https://app.prolific.com/submissions/complete?cc={quote(ways.prolific_code)}"


def _allow(open_way: bool, name: str) -> None:
    if not open_way:
        raise ProblemError(
            403, "no-way-in", "This way is not open", f"The study takes nobody from {name}."
        )


def _id(parameters: Mapping[str, str], name: str, form: re.Pattern[str]) -> str:
    value = parameters.get(name, "")
    if not form.fullmatch(value):
        raise refused(name, "missing or not of the form that it has there")
    return value
