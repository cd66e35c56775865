"""What every exported column means: the data dictionary."""

from __future__ import annotations

PARTICIPANT_COLUMNS = {
    "participant": "keyed hash of the person's id; the key stays on the server",
    "source": "way in: open, invitation, prolific or mturk",
    "state": "consented (not finished), finished, or dropped (silent for two hours)",
    "consented_at": "when consent was given, UTC, ISO 8601",
    "finished_at": "when the last trial was answered, UTC; empty before",
    "planned": "trials on this person's plan",
    "answered": "trials answered",
    "color_vision": "own statement: typical, deficient, unsure; empty if not asked yet",
    "screen_steps": "steps of a grey ramp told apart, of 8; -1 if not asked yet",
    "viewport_width": "window at consent, CSS pixels",
    "viewport_height": "window at consent, CSS pixels",
    "pixel_ratio": "device pixels per CSS pixel at consent",
    "pointer": "fine (mouse) or coarse (finger)",
    "external_id": "id at Prolific or Mechanical Turk; empty unless asked for with --with-ids",
}

VOTE_COLUMNS = {
    "participant": "who, as in participants",
    "position": "place in this person's plan, from 0; the order of showing",
    "kind": "practice, trial, check (obvious fake) or repeat",
    "dataset": "dataset of the photo",
    "photo": "name of the photo",
    "left": "method on the left, or shown first",
    "right": "method on the right, or shown second",
    "repeats": "position of the trial that is shown again; -1 but for repeats",
    "answer": "right answer of practice and checks: left or right; else empty",
    "choice": "left, right, cant-tell, or timeout",
    "chosen": "method that was chosen; in real-or-fake, the one that was called fake; else empty",
    "response_ms": "from both pictures painted (or hidden again) to the answer, milliseconds",
    "received_at": "when the server stored the answer, UTC, ISO 8601",
    "viewport_width": "window at the answer, CSS pixels",
    "viewport_height": "window at the answer, CSS pixels",
    "pixel_ratio": "device pixels per CSS pixel at the answer",
    "focus_losses": "how often the page lost focus or was hidden during the trial",
    "hidden_ms": "time hidden or paused during the trial, milliseconds",
    "pauses": "how often the person paused during the trial",
    "shows": "how often the pictures were put up for this answer; 1 unless paused or reloaded",
    "input": "keyboard, mouse, touch, pen, or none (timeout)",
}


def dictionary_markdown() -> str:
    """The data dictionary as a Markdown page."""
    parts = [
        "# Data dictionary\n",
        "`votes` and `participants` hold the same rows as CSV and as JSON Lines (UTF-8). In CSV, a",
        "text that a spreadsheet would take for a formula is preceded by an apostrophe.",
        "`definition.json` holds the study as it was frozen at opening, with its SHA-256.\n",
    ]
    for title, columns in (("Votes", VOTE_COLUMNS), ("Participants", PARTICIPANT_COLUMNS)):
        parts += [f"## {title}\n", "| column | meaning |", "| --- | --- |"]
        parts += [f"| `{name}` | {meaning} |" for name, meaning in columns.items()]
        parts.append("")
    return "\n".join(parts)
