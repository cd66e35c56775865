from __future__ import annotations

from collections import Counter

import pytest

from huefield.study.records import StudyError
from huefield.study.schedule import PlannedTrial, cells_of, check_photos, plan_trials
from tests.study_crowd import cell_of, study

THREE = {"Photos": {"truth": "t", "methods": {"A": "a", "B": "b", "C": "c"}}}


def test_no_photo_comes_twice_but_for_declared_repeats() -> None:
    definition, photos = study()
    for number in range(30):
        plan = plan_trials(definition, photos, {}, number)
        once = [(trial.dataset, trial.photo) for trial in plan if trial.kind != "repeat"]
        assert len(once) == len(set(once)) == 30
        for trial in plan:
            if trial.repeats is not None:
                first = plan[trial.repeats]
                assert first.kind == "trial"
                assert (first.photo, {first.left, first.right}) == (
                    trial.photo,
                    {trial.left, trial.right},
                )


def test_the_parts_of_a_plan() -> None:
    definition, photos = study()
    plan = plan_trials(definition, photos, {}, 1)
    kinds = [trial.kind for trial in plan]
    assert kinds[:2] == ["practice"] * 2
    assert Counter(kinds) == {"practice": 2, "trial": 20, "check": 8, "repeat": 4}
    assert kinds[2] == "trial"
    for trial in plan:
        real = {"left": trial.left, "right": trial.right}.get(trial.answer)
        assert real == ("truth" if trial.kind in ("practice", "check") else None)
        assert ("fake:truth" in (trial.left, trial.right)) is bool(trial.answer)


def test_a_plan_follows_from_seed_number_and_counts() -> None:
    definition, photos = study()
    other, _ = study(seed=2)
    assert plan_trials(definition, photos, {}, 3) == plan_trials(definition, photos, {}, 3)
    assert plan_trials(definition, photos, {}, 3) != plan_trials(definition, photos, {}, 4)
    assert plan_trials(definition, photos, {}, 3) != plan_trials(other, photos, {}, 3)


@pytest.mark.parametrize("count", [7, 20, 31])
def test_cells_never_differ_by_more_than_one(count: int) -> None:
    trials = {"count": count, "practice": 1, "checks": 2, "repeats": 2}
    definition, photos = study(photos=37, datasets=THREE, trials=trials)
    fill: Counter[tuple[str, str, str, str]] = Counter(
        dict.fromkeys(cells_of(definition, photos), 0)
    )
    for number in range(60):
        for trial in plan_trials(definition, photos, fill, number):
            if trial.kind == "trial":
                fill[cell_of(definition, trial)] += 1
        assert max(fill.values()) - min(fill.values()) <= 1
    assert len(fill) == 37 * 3


def test_sides_are_balanced_by_chance() -> None:
    definition, photos = study()
    plans = [plan_trials(definition, photos, {}, number) for number in range(200)]
    for wanted in (lambda t: t.kind == "trial" and t.left == "A", lambda t: t.answer == "left"):
        kind = "trial" if wanted(PlannedTrial("trial", "", "", "A", "B")) else "check"
        judged = [trial for plan in plans for trial in plan if trial.kind == kind]
        share = sum(wanted(trial) for trial in judged) / len(judged)
        assert abs(share - 0.5) < 0.03


def test_ranking_shows_all_pairs_of_its_photos() -> None:
    trials = {"count": 4, "practice": 1, "checks": 1, "repeats": 0}
    definition, photos = study(protocol="ranking", datasets=THREE, trials=trials)
    plan = plan_trials(definition, photos, {}, 1)
    pairs = Counter(trial.photo for trial in plan if trial.kind == "trial")
    assert sorted(pairs.values()) == [3, 3, 3, 3]
    seen = {
        (trial.photo, frozenset((trial.left, trial.right)))
        for trial in plan
        if trial.kind == "trial"
    }
    assert len(seen) == 12


def test_in_real_or_fake_people_point_at_the_fake() -> None:
    definition, photos = study(protocol="real-or-fake")
    for trial in plan_trials(definition, photos, {}, 1):
        if trial.answer:
            assert {"left": trial.left, "right": trial.right}[trial.answer] == "fake:truth"
        else:
            assert "truth" in (trial.left, trial.right)


def test_too_few_photos_are_counted() -> None:
    definition, photos = study(photos=29)
    with pytest.raises(StudyError, match=r"sees 30 different photos .* have 29"):
        check_photos(definition, photos)
