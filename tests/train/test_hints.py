"""The hints network and what it is shown."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from train.config import Config, ConfigError, HintsConfig, config_from_dict, config_to_dict
from train.hints import draw_hints, show_points, show_strokes
from train.hints_network import NUM_LOOKS, Hints, Recall, hint_pyramid
from train.networks import NetworkConfig

SMALL = NetworkConfig(hints_widths=(16, 16, 16, 16, 16))


def colours(height: int = 40, width: int = 56) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows / height - 0.5, columns / width - 0.5]).astype(np.float32)


def test_points_show_the_mean_of_seven_quarter_cells() -> None:
    ab = colours()
    hints = show_points(np.random.default_rng(2), ab, 1)
    assert hints[2].sum() == pytest.approx(1.75**2, rel=1e-5)  # cells that one point covers
    assert hints[2].max() <= 1.0
    known = hints[2] > 0
    weights = hints[2][known] / hints[2].sum()
    for channel in range(2):
        shown = hints[channel][known]
        assert np.ptp(shown) == pytest.approx(0.0, abs=1e-6)
        assert shown[0] == pytest.approx(float(ab[channel][known] @ weights), abs=1e-5)
    assert not hints[:, ~known].any()


def test_points_gather_about_the_centre_and_stay_inside() -> None:
    hints = show_points(np.random.default_rng(0), colours(64, 64), 2000)
    assert hints[2, 24:40, 24:40].mean() > 0.8
    assert show_points(np.random.default_rng(0), colours(), 0).any() == np.False_


def test_strokes_show_their_own_mean() -> None:
    ab = colours()
    hints = show_strokes(np.random.default_rng(4), ab, 1)
    known = hints[2] > 0
    assert 1 <= known.sum() < known.size / 2
    assert hints[0][known] == pytest.approx(ab[0][known].mean(), abs=1e-6)


def test_shares_of_a_batch_are_those_of_the_preset() -> None:
    ab = np.repeat(colours()[None], 400, axis=0)
    rng = np.random.default_rng(1)
    none = draw_hints(rng, ab, HintsConfig(none_share=0.5, stroke_share=0.0))
    bare = (none[:, 2].max((1, 2)) == 0).mean()
    assert 0.4 < bare < 0.6
    whole = draw_hints(rng, ab[:50], HintsConfig(none_share=0.0, stroke_share=1.0))
    assert set(np.unique(whole[:, 2])) == {0.0, 1.0}
    few = draw_hints(rng, ab[:50], HintsConfig(none_share=0.0, stroke_share=0.0, max_points=1))
    assert few[:, 2].sum((1, 2)) == pytest.approx(1.75**2, rel=1e-4)


def test_the_pyramid_averages_what_is_known() -> None:
    hints = torch.zeros(1, 3, 16, 16)
    hints[0, :, 3, 5] = torch.tensor([0.2, -0.1, 1.0])
    hints[0, :, 2, 4] = torch.tensor([0.4, 0.3, 1.0])
    for scale, level in enumerate(hint_pyramid(hints)):
        assert level.shape[2:] == (16 >> scale, 16 >> scale)
        assert level[0, 2].max() == 1.0
        if scale:
            place = level[0, :, 3 >> scale, 5 >> scale]
            assert torch.allclose(place, torch.tensor([0.3, 0.1, 1.0]), atol=1e-5)


def told(gray: torch.Tensor) -> torch.Tensor:
    """Hints of two cells: a warm one in the left half, a cold one in the right."""
    hints = torch.zeros(1, 3, *gray.shape[2:])
    hints[0, :, 9, 4] = torch.tensor([0.4, 0.2, 1.0])
    hints[0, :, 10, 34] = torch.tensor([-0.3, -0.1, 1.0])
    return hints


def test_cells_recall_the_colour_of_known_cells_like_themselves() -> None:
    torch.manual_seed(0)
    recall = Recall([])
    gray = torch.full((1, 1, 24, 40), -0.8)
    gray[..., 20:] = 0.8
    with torch.no_grad():
        recall.head.weight.zero_()  # compared by gray value and position alone
        recall.head.bias.zero_()
        embedding = recall.look(gray, [])
        colours, sure = recall(embedding, told(gray))
        nothing, unsure = recall(embedding, torch.zeros(1, 3, 24, 40))
    assert colours.shape == (1, NUM_LOOKS, 2, 24, 40)
    assert sure.shape == (1, NUM_LOOKS, 24, 40)
    # The widest look: the half decides, also where the other known cell is the nearer one.
    wide = colours[0, -1]
    assert wide[0, :, 1:19].min() > 0.35
    assert wide[0, :, 21:].max() < -0.25
    assert sure[0, -1, 9, 4] > 0.9
    assert unsure.max() < 0.01
    assert nothing.abs().max() < 1e-4


def test_untaught_network_shows_what_is_recalled() -> None:
    torch.manual_seed(0)
    network = Hints(SMALL)
    gray = torch.rand(1, 1, 24, 40)
    hints = told(gray)
    with torch.no_grad():
        colours, _ = network.recall(network.recall.look(gray, []), hints)
        found = network(gray, hints)
    assert torch.allclose(found, colours.sum(1) / (NUM_LOOKS + 1), atol=1e-6)


def test_hints_and_picture_change_the_colours() -> None:
    torch.manual_seed(0)
    network = Hints(SMALL)
    gray = torch.rand(1, 1, 24, 40)
    hints = torch.zeros(1, 3, 24, 40)
    with torch.no_grad():
        network.head.weight.normal_(std=0.1)
        before = network(gray, hints)
        assert before.shape == (1, 2, 24, 40)
        assert not torch.allclose(network(gray, told(gray)), before, atol=1e-4)
        assert not torch.allclose(network(-gray, hints), before, atol=1e-4)


@pytest.mark.parametrize(
    ("key", "value"), [("none_share", 1.5), ("max_points", 0), ("stroke_share", 0.95)]
)
def test_shares_that_cannot_work_are_refused(key: str, value: float) -> None:
    values = config_to_dict(Config())
    values["hints"][key] = value
    with pytest.raises(ConfigError, match="hints"):
        config_from_dict(values)
