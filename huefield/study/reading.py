"""Reads a study's definition from TOML or JSON and checks it, once and for all."""

from __future__ import annotations

import re
import tomllib

from huefield.study.definition import TRUTH, Dataset, Definition, ModelSource
from huefield.study.records import StudyError, read_record

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?")
_METHOD = re.compile(r"[^\s/\\<>&\"'{}|,;][^/\\<>&\"'{}|,;\n]{0,58}")


def parse_definition(text: str) -> Definition:
    """The definition that a TOML text declares.

    Raises:
        StudyError: the text is no TOML, or a value is unknown, missing, of the wrong type or range.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"not valid TOML: {error}") from error
    return definition_from_json(table)


def definition_from_json(table: object) -> Definition:
    """The definition that a table holds, as `Definition.to_json` or TOML gives it.

    Raises:
        StudyError: see `parse_definition`.
    """
    definition = read_record(Definition, table, "")
    _check_names(definition)
    _check_numbers(definition)
    for dataset in definition.datasets:
        if not definition.pairs_of(dataset):
            raise StudyError(f"datasets.{dataset}: no two methods to compare")
    return definition


def _check_names(definition: Definition) -> None:
    if not _NAME.fullmatch(definition.name):
        raise StudyError(
            f"name: expected at most 48 of a-z, 0-9 and inner hyphens, got {definition.name!r}"
        )
    for place in ("title", "contact"):
        if not getattr(definition, place).strip():
            raise StudyError(f"{place}: expected some text")
    if not definition.datasets:
        raise StudyError("datasets: expected at least one")
    every: set[str] = set()
    for name, dataset in definition.datasets.items():
        _check_dataset(name, dataset, definition)
        every |= set(definition.methods_of(name))
    for k, pair in enumerate(definition.pairs):
        if len(pair) != 2 or pair[0] == pair[1]:
            raise StudyError(f"pairs[{k}]: expected two different methods, got {list(pair)}")
        if unknown := set(pair) - every:
            raise StudyError(f"pairs[{k}]: no dataset has the method {sorted(unknown)[0]!r}")


def _check_dataset(name: str, dataset: Dataset, definition: Definition) -> None:
    place = f"datasets.{name}"
    for label in (name, *dataset.methods):
        if not _METHOD.fullmatch(label):
            raise StudyError(f"{place}: {label!r} cannot be a name; use letters, digits, spaces")
    if TRUTH in dataset.methods:
        raise StudyError(f"{place}.methods: '{TRUTH}' is the true photo; set {place}.truth instead")
    for method, source in dataset.methods.items():
        if isinstance(source, ModelSource) and (source.sample < 1 or source.seed < 0):
            raise StudyError(f"{place}.methods.{method}: expected sample >= 1 and seed >= 0")
        if isinstance(source, ModelSource) and not (dataset.photos or dataset.truth):
            raise StudyError(f"{place}.photos: missing; the model of '{method}' colours them")
    if not dataset.truth and (definition.include_truth or definition.protocol == "real-or-fake"):
        raise StudyError(f"{place}.truth: missing; this study shows the true photos")


def _check_numbers(definition: Definition) -> None:
    trials, filters = definition.trials, definition.filters
    bounds = [
        ("version", definition.version, 1, 10_000),
        ("seed", definition.seed, 0, 2**32 - 1),
        ("keep_days", definition.keep_days, 1, 36_500),
        ("bootstrap", definition.bootstrap, 200, 100_000),
        ("trials.count", trials.count, 1, 500),
        ("trials.practice", trials.practice, 0, 20),
        ("trials.checks", trials.checks, 0, 50),
        ("trials.repeats", trials.repeats, 0, trials.count),
        ("trials.time_limit", trials.time_limit, 0, 600),
        ("trials.exposure_ms", trials.exposure_ms, 50, 60_000),
        ("trials.blank_ms", trials.blank_ms, 0, 10_000),
        ("trials.flip_ms", trials.flip_ms, 200, 10_000),
        ("device.min_width", definition.device.min_width, 0, 4000),
        ("filters.fastest_ms", filters.fastest_ms, 0, 60_000),
        ("filters.fast_share", filters.fast_share, 0, 1),
        ("filters.check_accuracy", filters.check_accuracy, 0, 1),
        ("filters.one_side_share", filters.one_side_share, 0, 1),
        ("filters.repeat_consistency", filters.repeat_consistency, 0, 1),
        ("pictures.long_side", definition.pictures.long_side, 64, 4096),
    ]
    for place, value, least, most in bounds:
        if not least <= value <= most:
            raise StudyError(f"{place}: expected {least} to {most}, got {value}")
    ways = definition.recruitment
    if not (ways.open_link or ways.invitations or ways.prolific or ways.mturk):
        raise StudyError("recruitment: expected at least one way in")
    if ways.prolific and not re.fullmatch(r"[A-Za-z0-9_-]{4,40}", ways.prolific_code):
        raise StudyError("recruitment.prolific_code: expected the completion code of Prolific")
