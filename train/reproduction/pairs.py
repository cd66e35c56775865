"""The folder for a study of people's votes, as in the paper's Table 1; a part of `train.reproduce`.

Writes `study/` with a folder of pictures for each method of each set, the true photos beside them,
and the `study.toml` that `huefield study create` takes as it is: each method against ours.

Source: Messaoud, Forsyth, Schwing, ECCV 2018, section 4.1 (user study).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from huefield.study.definition import TRUTH, Trials
from train.evaluation.model import ON
from train.evaluation.photos import EvaluationError, SquarePhoto
from train.reproduction.effort import Task, write_text
from train.reproduction.sets import SETS
from train.reproduction.sheet import jpeg, write_bytes
from train.reproduction.shown import (
    OURS,
    SIDE,
    Sampler,
    drawn,
    open_samplers,
    sampled,
    shown_photos,
)

FOLDER = "study"
NAME = "which-looks-more-real"
TITLE = "Which colours look more real?"
CONTACT = "you@your-lab.example"
QUALITY = 92
# What the photos of each zip are; who shows them to people has to know.
ORIGINS = {
    "lfw.zip": "Labeled Faces in the Wild, deep-funneled (Huang et al. 2007), a public research "
    "set of press photos of public figures",
    "places.zip": "MiniPlaces, a part of the Places database (Zhou et al. 2017), a public "
    "research set",
}
README = """# Pictures for a study

Made by `python -m train.reproduce`. Each set has a folder for each method, with the same file
names in all, and `{truth}` with the true photos. A photo is its centre square, brought to
{side} x {side} pixels; a method shows its first sample of seed {seed}. JPEG, quality {quality},
colours as sharp as lightness.

    huefield study create {folder}/study.toml

Put your own address into `contact` of `study.toml` before you open the study.

## Whose photos these are

{origins}

Such sets are lent for research; their photos belong to whoever took them. Show them to the
participants of your study, and do not publish this folder: `.gitignore` keeps it out of a
repository.
"""


def make(task: Task) -> dict[str, Any]:
    """Writes the pictures of every set, and the study over all of them.

    Returns:
        The "definition" to create the study by, and by set its "photos", the "source" that they
        are of, the "folders" of the methods by their titles, and the titles that are "absent".

    Raises:
        DataError: a photo set is missing.
        EvaluationError: a set has no photo with colour, or all have fewer than a study needs.
        ModelError: a model folder is missing or broken.
    """
    sets: dict[str, Any] = {}
    for name in task.sets:
        sets[name] = _pictures(task, name)
        task.done(f"{name}: study")
    folder = task.places.out / FOLDER
    texts = {
        "study.toml": definition_text(sets, task.seed),
        "README.md": _readme(task, sets),
        ".gitignore": "*\n",
    }
    for file, text in texts.items():
        if not (folder / file).exists() or (folder / file).read_text(encoding="utf-8") != text:
            write_text(folder / file, text)
    return {"definition": f"{FOLDER}/study.toml", "sets": sets}


def rows(task: Task) -> int:
    """How many sets there are."""
    return len(task.sets)


def markdown(results: Mapping[str, Any]) -> str:
    """What is in the folder, and the command that makes a study of it."""
    lines = [
        "# Pairs for a study",
        "",
        f"`huefield study create {results['definition']}` makes a study of these pictures, each "
        "method against ours. Look through them first: a file name stands for the same photo in "
        "every folder. The photos are those of research sets, so the folder stays out of the "
        "repository; its README says whose they are.",
        "",
        "| set | photos | methods | not there |",
        "| --- | ---: | --- | --- |",
    ]
    for name, part in results["sets"].items():
        photos = f"{len(part['photos'])} of {part['source']}"
        methods, absent = ", ".join(part["folders"]), ", ".join(part["absent"])
        lines.append(f"| {name} | {photos} | {methods} | {absent} |")
    return "\n".join(lines) + "\n"


def definition_text(sets: Mapping[str, Any], seed: int) -> str:
    """The `study.toml` of the sets: each method against ours, as many trials as photos allow.

    Args:
        sets: by name its "photos", and in "folders" the folder of each method by title.
        seed: of the study's order and sides.

    Raises:
        EvaluationError: there are fewer photos than a study needs.
    """
    trials = trials_of(sum(len(part["photos"]) for part in sets.values()))
    titles = dict.fromkeys(title for part in sets.values() for title in part["folders"])
    ours = OURS[ON]
    lines = [
        f"name = {_quoted(NAME)}",
        f"title = {_quoted(TITLE)}",
        f"contact = {_quoted(CONTACT)}",
        f"seed = {seed}",
        "pairs = [",
        *(f"  [{_quoted(ours)}, {_quoted(title)}]," for title in titles if title != ours),
        "]",
        "",
        "[trials]",
        f"count = {trials.count}",
        f"practice = {trials.practice}",
        f"checks = {trials.checks}",
        f"repeats = {trials.repeats}",
    ]
    for name, part in sets.items():
        lines += ["", f"[datasets.{name}]", f"truth = {_quoted(f'{name}/{TRUTH}')}", ""]
        lines += [f"[datasets.{name}.methods]"]
        lines += [
            f"{_quoted(title)} = {_quoted(f'{name}/{folder}')}"
            for title, folder in part["folders"].items()
        ]
    return "\n".join(lines) + "\n"


def trials_of(num_photos: int) -> Trials:
    """The usual trials of one person, fewer where there are fewer photos than they need.

    Raises:
        EvaluationError: there are fewer than two photos.
    """
    if num_photos < 2:
        raise EvaluationError(f"a study needs at least 2 photos, got {num_photos}")
    usual = Trials()
    practice = min(usual.practice, num_photos // 8)
    checks = min(usual.checks, num_photos // 5)
    count = min(usual.count, num_photos - practice - checks)
    return Trials(count, practice, checks, repeats=min(usual.repeats, count // 4))


def _pictures(task: Task, name: str) -> dict[str, Any]:
    """What a set's pictures show, written where they were not yet."""
    source = SETS[name].test_source(task.places.data)
    squares = shown_photos(source, task.effort.num_pairs, task.seed)
    samplers, absent = open_samplers(task, name)
    folders = {
        title: sampler.folders[setting]
        for sampler in samplers
        for setting, title in sampler.titles.items()
    }
    about = {
        "source": source.name,
        "photos": [square.name for square in squares],
        "folders": folders,
        "absent": absent,
    }
    content = about | {
        "seed": task.seed,
        "identities": [dict(sampler.identity) for sampler in samplers],
    }
    draw = partial(_write_pictures, task, name, squares, samplers, folders)
    drawn(task, f"study-{name}", content, draw)
    return about


def _write_pictures(
    task: Task,
    name: str,
    squares: Sequence[SquarePhoto],
    samplers: Sequence[Sampler],
    folders: Mapping[str, str],
) -> dict[str, Any]:
    files = []
    for square in squares:
        file = PurePosixPath(square.name).with_suffix(".jpg").name
        pictures = {TRUTH: square.rgb}
        for title, (first,) in sampled(samplers, square, 1, task.seed).items():
            pictures[folders[title]] = first
        for folder, picture in pictures.items():
            files.append(f"{FOLDER}/{name}/{folder}/{file}")
            write_bytes(task.places.out / files[-1], jpeg(picture, QUALITY))
    return {"files": files}


def _readme(task: Task, sets: Mapping[str, Any]) -> str:
    origins = []
    for name, part in sets.items():
        file = SETS[name].test
        photos = f"{len(part['photos'])} test photos of `{file}`"
        origins.append(f"- `{name}`: {photos}, {ORIGINS[file]}.")
    return README.format(
        truth=TRUTH,
        side=SIDE,
        seed=task.seed,
        quality=QUALITY,
        folder=FOLDER,
        origins="\n".join(origins),
    )


def _quoted(text: str) -> str:
    """The text as a string of TOML."""
    return json.dumps(text, ensure_ascii=False)
