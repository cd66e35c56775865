"""What a study is, and how it is frozen and hashed at opening.

The researcher's file becomes a `Definition` (`reading`); with the list of pictures it makes the
frozen document whose hash stands beside every vote. `webapp.study` keeps it, `export` carries it,
and `analysis` reads nothing else about how the study was meant.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any, Literal

TRUTH = "truth"
Protocol = Literal["choice", "flip", "real-or-fake", "ranking"]
Pair = tuple[str, str]


@dataclass(frozen=True)
class ModelSource:
    """A method that is coloured by an installed model when the study is made.

    Attributes:
        model: name of the model folder: one of ours, or an earlier method's.
        gcrf: whether the G-CRF makes the colours consistent, or the decoder's output is shown; an
            earlier method has neither.
        seed: of the latent code.
        sample: which sample of that seed, from 1; the first is the likeliest.
    """

    model: str
    gcrf: bool = True
    seed: int = 0
    sample: int = 1


@dataclass(frozen=True)
class Dataset:
    """Photos that are reported together.

    Attributes:
        methods: by name, a folder with one picture a photo, or a model.
        truth: folder of the true photos, if there is one.
        photos: folder of the photos that models colour; the truth when left out.
    """

    methods: dict[str, str | ModelSource]
    truth: str = ""
    photos: str = ""


@dataclass(frozen=True)
class Trials:
    """What one person does.

    Attributes:
        count: judged trials; in "ranking", photos that are ranked.
        practice: trials with feedback before them.
        checks: obvious fakes among them.
        repeats: trials shown again later, sides swapped at random.
        check_kind: how obvious fakes are made: coloured noise, or turned hues.
        show_gray: the grey photo beside the two.
        cant_tell: a third answer.
        time_limit: seconds for one answer; 0 for none.
        exposure_ms: "real-or-fake": how long each picture is seen.
        blank_ms: "real-or-fake": grey before and after each picture.
        flip_ms: "flip": how long each picture stays before the other takes its place.
    """

    count: int = 20
    practice: int = 2
    checks: int = 6
    repeats: int = 3
    check_kind: Literal["noise", "hue"] = "noise"
    show_gray: bool = False
    cant_tell: bool = False
    time_limit: int = 0
    exposure_ms: int = 1000
    blank_ms: int = 500
    flip_ms: int = 800


@dataclass(frozen=True)
class Device:
    """Who can take part: which kind of device, and how wide its window must be in CSS pixels."""

    kind: Literal["any", "phone", "desktop"] = "any"
    min_width: int = 320


@dataclass(frozen=True)
class Filters:
    """Whom the analysis leaves out, declared before the first vote.

    Attributes:
        fastest_ms: an answer below this is too fast to have looked.
        fast_share: largest share of such answers.
        check_accuracy: smallest share of attention checks passed.
        one_side_share: largest share of answers on one side.
        repeat_consistency: smallest share of repeats answered as before.
    """

    fastest_ms: int = 400
    fast_share: float = 0.3
    check_accuracy: float = 0.8
    one_side_share: float = 0.9
    repeat_consistency: float = 0.0


@dataclass(frozen=True)
class Recruitment:
    """The ways in.

    Attributes:
        open_link: anybody who has the address.
        invitations: single-use links made by the researcher.
        prolific: people sent by Prolific with their three ids.
        prolific_code: completion code that Prolific gave for the study.
        mturk: people who see the study in a frame of Mechanical Turk.
    """

    open_link: bool = True
    invitations: bool = False
    prolific: bool = False
    prolific_code: str = ""
    mturk: bool = False


@dataclass(frozen=True)
class Texts:
    """What people read, in Markdown; an empty one stands for the text that comes with Huefield."""

    consent: str = ""
    screen: str = ""
    instructions: str = ""
    question: str = ""
    debrief: str = ""


@dataclass(frozen=True)
class Shown:
    """How pictures are stored: one format and largest side for all, so that none stands out."""

    format: Literal["jpeg", "png"] = "jpeg"
    long_side: int = 1024


@dataclass(frozen=True)
class Definition:
    """A study as its researcher declares it; see the attributes of the parts.

    Attributes:
        name: short name, part of addresses.
        title: what people see.
        contact: whom to ask, part of the consent.
        datasets: photos by the name under which they are reported.
        version: a study that was opened changes only as a new version.
        protocol: "choice" side by side, "flip" in one place, "real-or-fake" one after the other,
            "ranking" of all methods of a photo by pairs.
        seed: of sides, order, checks and the bootstrap.
        pairs: pairs of methods that are compared; empty for all.
        include_truth: the true photo competes as a method of its own.
        keep_days: how long votes are kept, part of the consent.
        bootstrap: resamples of each interval.
    """

    name: str
    title: str
    contact: str
    datasets: dict[str, Dataset]
    version: int = 1
    protocol: Protocol = "choice"
    seed: int = 1
    pairs: tuple[tuple[str, ...], ...] = ()
    include_truth: bool = False
    keep_days: int = 365
    bootstrap: int = 2000
    trials: Trials = field(default_factory=Trials)
    device: Device = field(default_factory=Device)
    filters: Filters = field(default_factory=Filters)
    recruitment: Recruitment = field(default_factory=Recruitment)
    texts: Texts = field(default_factory=Texts)
    pictures: Shown = field(default_factory=Shown)

    def methods_of(self, dataset: str) -> tuple[str, ...]:
        """The methods that compete in a dataset, in the order of the file."""
        names = tuple(self.datasets[dataset].methods)
        return (*names, TRUTH) if self.include_truth else names

    def pairs_of(self, dataset: str) -> tuple[Pair, ...]:
        """The pairs that are compared in a dataset, in the order in which they are reported."""
        methods = self.methods_of(dataset)
        if self.protocol == "real-or-fake":
            return tuple((TRUTH, name) for name in methods if name != TRUTH)
        if not self.pairs:
            return tuple(combinations(methods, 2))
        return tuple((a, b) for a, b in self.pairs if a in methods and b in methods)

    def to_json(self) -> dict[str, Any]:
        """The definition as plain JSON values."""
        document: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return document


def frozen_document(definition: Definition, pictures: Sequence[Mapping[str, Any]]) -> str:
    """The canonical JSON of a definition and its pictures; `definition_hash` is over this text.

    Args:
        definition: the study.
        pictures: of each picture dataset, photo, method, sha256, width and height.
    """
    listed = sorted(
        (dict(picture) for picture in pictures),
        key=lambda p: (p["dataset"], p["photo"], p["method"]),
    )
    return canonical({"definition": definition.to_json(), "pictures": listed})


def canonical(document: object) -> str:
    """JSON without spaces, members in their own order: that of methods is how they are reported."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def definition_hash(document: str) -> str:
    """SHA-256 of a frozen document, in hexadecimal."""
    return hashlib.sha256(document.encode()).hexdigest()


def photos_needed(definition: Definition) -> int:
    """Different photos that one person sees: repeats show no new one."""
    trials = definition.trials
    return trials.count + trials.practice + trials.checks
