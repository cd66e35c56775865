from __future__ import annotations

from typing import Any

import pytest

from huefield.study.definition import ModelSource, canonical, definition_hash, frozen_document
from huefield.study.reading import definition_from_json, parse_definition
from huefield.study.records import StudyError

TEXT = """
name = "first"
title = "Which colours look real?"
contact = "lab@example.org"

[datasets.Faces]
truth = "faces/truth"

[datasets.Faces.methods]
ours = {model = "faces", gcrf = true}
plain = {model = "faces", gcrf = false}
theirs = "faces/theirs"
"""


def table(**changes: Any) -> dict[str, Any]:
    return {
        "name": "first",
        "title": "T",
        "contact": "c",
        "datasets": {"D": {"truth": "t", "methods": {"a": "x", "b": "y", "c": "z"}}},
    } | changes


def test_a_file_with_models_and_folders() -> None:
    definition = parse_definition(TEXT)
    methods = definition.datasets["Faces"].methods
    assert methods["ours"] == ModelSource("faces", gcrf=True)
    assert methods["theirs"] == "faces/theirs"
    assert definition.pairs_of("Faces") == (
        ("ours", "plain"),
        ("ours", "theirs"),
        ("plain", "theirs"),
    )


def test_a_definition_survives_json() -> None:
    definition = parse_definition(TEXT)
    assert definition_from_json(definition.to_json()) == definition


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"name": "First!"}, "name"),
        ({"title": " "}, "title"),
        ({"colour": 1}, "colour"),
        ({"seed": "one"}, "seed"),
        ({"seed": -1}, "seed"),
        ({"protocol": "vote"}, "protocol"),
        ({"datasets": {}}, "datasets"),
        ({"datasets": {"D": {"methods": {"a": "x"}}}}, "datasets.D"),
        ({"datasets": {"D": {"methods": {"truth": "x", "b": "y"}}}}, "datasets.D.methods"),
        ({"datasets": {"D": {"methods": {"a": {"model": "m"}, "b": "y"}}}}, "datasets.D.photos"),
        ({"datasets": {"D": {"methods": {"a": {"modell": "m"}}}}}, "modell"),
        (
            {"protocol": "real-or-fake", "datasets": {"D": {"methods": {"a": "x"}}}},
            "datasets.D.truth",
        ),
        ({"pairs": [["a", "a"]]}, r"pairs\[0\]"),
        ({"pairs": [["a", "q"]]}, r"pairs\[0\]"),
        ({"trials": {"count": 0}}, "trials.count"),
        ({"trials": {"repeats": 40}}, "trials.repeats"),
        ({"trials": {"checks": True}}, "trials.checks"),
        ({"filters": {"fast_share": 1.5}}, "filters.fast_share"),
        ({"recruitment": {"open_link": False}}, "recruitment"),
        ({"recruitment": {"prolific": True}}, "recruitment.prolific_code"),
    ],
)
def test_faults_are_named(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(StudyError, match=place):
        definition_from_json(table(**changes))


def test_no_toml_is_said() -> None:
    with pytest.raises(StudyError, match="not valid TOML"):
        parse_definition("name =")


def test_chosen_pairs_keep_their_order() -> None:
    definition = definition_from_json(table(pairs=[["c", "a"], ["a", "b"]]))
    assert definition.pairs_of("D") == (("c", "a"), ("a", "b"))


def test_the_truth_can_compete() -> None:
    definition = definition_from_json(table(include_truth=True))
    assert ("c", "truth") in definition.pairs_of("D")


def test_the_hash_is_over_definition_and_pictures() -> None:
    picture = {"dataset": "D", "photo": "p", "method": "a", "sha256": "0", "width": 1, "height": 1}
    other = picture | {"method": "b"}
    base = frozen_document(definition_from_json(table()), [picture, other])
    assert definition_hash(base) == definition_hash(
        frozen_document(definition_from_json(table()), [other, picture])
    )
    changed = [
        frozen_document(definition_from_json(table(seed=2)), [picture, other]),
        frozen_document(definition_from_json(table()), [picture | {"sha256": "1"}, other]),
        frozen_document(definition_from_json(table(filters={"fastest_ms": 300})), [picture, other]),
    ]
    assert len({definition_hash(text) for text in [base, *changed]}) == 4
    assert canonical({"b": 1, "a": 2}) == '{"b":1,"a":2}'
