from __future__ import annotations

import numpy as np
import pytest

from huefield.tone import WARM, Tone

LIGHTNESS = np.array([[0.0, 50.0, 100.0]], np.float32)


def applied(tone: Tone) -> np.ndarray:
    ab = np.tile(np.array([20.0, -10.0], np.float32), (1, 3, 1))
    tone.apply(ab, LIGHTNESS)
    return ab


def test_each_slider_does_its_own_thing() -> None:
    np.testing.assert_array_equal(applied(Tone()), np.tile([20.0, -10.0], (1, 3, 1)))
    np.testing.assert_allclose(applied(Tone(saturation=0.5)), np.tile([10.0, -5.0], (1, 3, 1)))
    np.testing.assert_allclose(applied(Tone(strength=0.0)), 0)
    warm = applied(Tone(warmth=1.0)) - applied(Tone())
    np.testing.assert_allclose(warm[0, 1], WARM, atol=1e-5)
    np.testing.assert_allclose(warm[0, [0, 2]], 0, atol=1e-5)
    np.testing.assert_allclose(applied(Tone(warmth=-1.0)) - applied(Tone()), -warm, atol=1e-5)


@pytest.mark.parametrize("member", ["saturation", "warmth", "strength"])
def test_values_outside_are_named(member: str) -> None:
    with pytest.raises(ValueError, match=f"{member}: expected .* got 7"):
        Tone(**{member: 7})
