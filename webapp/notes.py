"""Samples as the notes of a stored colouring, and back.

Called by `webapp.workbench` and `webapp.answers`.
"""

from __future__ import annotations

import numpy as np

from huefield.sample import Sample
from huefield.strokes import Edits, parse_edits
from webapp.forms import pick_to_json, read_pick
from webapp.storage import StoredColorization


def model_of(made: StoredColorization) -> str:
    """The model that made a colouring."""
    return str(made.document["model"])


def stored_sample(made: StoredColorization, index: int) -> Sample:
    """A sample as the colorizer gave it."""
    samples = made.document["samples"]
    note = samples[index] if isinstance(samples, list) else {}
    return Sample(
        index=index,
        seed=int(note["seed"]),
        pick=read_pick(note["pick"]) if note["pick"] else None,
        component=int(note["component"]),
        log_prob=float("nan") if note["log_prob"] is None else float(note["log_prob"]),
        fit=float("nan") if note["fit"] is None else float(note["fit"]),
        z=made.codes[index],
        field=made.fields[index],
        edits=edits_of(made),
    )


def edits_of(made: StoredColorization) -> Edits | None:
    """The edits that a colouring follows; None where there are none."""
    given = made.document["edits"]
    return parse_edits(given) if isinstance(given, dict) else None


def sample_note(sample: Sample) -> dict[str, object]:
    """What is told of a sample besides its colours."""
    return {
        "index": sample.index,
        "seed": sample.seed,
        "component": sample.component,
        "log_prob": _finite(sample.log_prob),
        "fit": _finite(sample.fit),
        "pick": None if sample.pick is None else pick_to_json(sample.pick),
    }


def _finite(value: float) -> float | None:
    return round(value, 6) if np.isfinite(value) else None
