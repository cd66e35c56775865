"""Photos as old plates: what red, green and blue become, and how tones are bent."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.color import rgb2lab

from train.plates import DULLNESS, FOG, NUM_DRAWS, expose

PLAIN = (0.0, 0.5, 0.0, 0.0)  # a plate that sees as an eye does
OLD = (1.0, 0.5, 0.0, 0.0)  # one of before 1900


def shown(rgb: tuple[int, int, int], draws: tuple[float, ...]) -> float:
    pixel = np.array(rgb, np.uint8).reshape(1, 1, 1, 3)
    return expose(pixel, np.array([draws])).item()


def test_a_plate_that_sees_as_an_eye_shows_lightness() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (3, 5, 7, 3), np.uint8)
    exposed = expose(rgb, np.array([PLAIN] * 3))
    assert exposed.dtype == np.float32
    assert np.abs(exposed - rgb2lab(rgb)[..., 0]).max() < 0.01


@pytest.mark.parametrize(
    ("what", "rgb", "brighter"),
    [
        ("sky", (110, 160, 230), True),
        ("lips", (170, 60, 70), False),
        ("skin", (200, 150, 120), False),
        ("leaves", (70, 110, 40), False),
    ],
)
def test_old_plates_see_blue_and_are_blind_to_red(
    what: str, rgb: tuple[int, int, int], brighter: bool
) -> None:
    plain, old = shown(rgb, PLAIN), shown(rgb, OLD)
    assert (old > plain + 3) if brighter else (old < plain - 3), what


@pytest.mark.parametrize("gray", [0, 40, 128, 255])
def test_gray_stays_gray_on_every_plate(gray: int) -> None:
    assert shown((gray,) * 3, OLD) == pytest.approx(shown((gray,) * 3, PLAIN), abs=0.02)


def test_contrast_fog_and_dullness_bend_tones_but_keep_their_order() -> None:
    ramp = np.repeat(np.arange(0, 256, 15, dtype=np.uint8)[:, None], 3, 1).reshape(1, 1, -1, 3)
    for draws in np.random.default_rng(1).random((20, NUM_DRAWS)):
        tones = expose(ramp, draws[None])[0, 0]
        assert (np.diff(tones) > 0).all()
        assert tones[0] == pytest.approx(100 * FOG * draws[2], abs=0.01)
        assert tones[-1] == pytest.approx(100 * (1 - DULLNESS * draws[3]), abs=0.01)
    middle = (128, 128, 128)
    soft, hard = (shown(middle, (0.0, contrast, 0.0, 0.0)) for contrast in (0.0, 1.0))
    assert soft > shown(middle, PLAIN) > hard
