"""Drawing a colour field pixel by pixel from an autoregressive network, and its likelihood.

PIC's network gives each pixel a mixture of logistics that depends on the pixels above and to the
left. So a sample takes a step for each pixel; what the network made of earlier pixels is kept
rather than made anew. Called by `baselines` with ONNX sessions and by `train.baselines.pic` with
torch modules: both hand over functions of arrays.

Colours are whole ab units, as the discretised likelihood counts them, from -128 to 127.

Source: Salimans et al., ICLR 2017 (mixture of discretised logistics, gated layers); Royer,
Kolesnikov, Lampert, BMVC 2017 (colours at quarter size, given a gray embedding).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

LEVELS = 128.0  # levels on each side of 0: one for each ab unit
LOWEST, HIGHEST = -1.0, (LEVELS - 1.0) / LEVELS
NUM_OF_EACH = 6  # numbers of each logistic: share, two means, two scales, what b takes from a
_HALF = 0.5 / LEVELS
LOG_SCALE_FLOOR = -7.0


@dataclass(frozen=True)
class StepFunctions:
    """One step of the network each; n samples at once.

    Attributes:
        row: (above (n, 3, 2, w), cache (n, K, C, w), embedding (n, E, w)) to what the rows above
            say, (n, K + 1, C, w). The third channel of colours is 1 inside the picture.
        pixel: (left (n, 3, 2), vertical (n, K + 1, C), embedding (n, E), cache (n, K, C)) to the
            numbers of the mixture (n, 6 M) and the new cache.
        layers: K.
        width: C.
    """

    row: Callable[[Floats, Floats, Floats], Floats]
    pixel: Callable[[Floats, Floats, Floats, Floats], tuple[Floats, Floats]]
    layers: int
    width: int


def draw_colours(
    steps: StepFunctions, embedding: Floats, uniform: Doubles
) -> tuple[Floats, Floats]:
    """Colours (n, 2, h, w), ab / 128 in whole units, and the mixtures (n, 6 M, h, w) drawn from.

    Args:
        steps: the network.
        embedding: (E, h, w) of one photo, or (n, E, h, w).
        uniform: (n, h, w, 3) from 0 to 1, both excluded: what chance says at each pixel.
    """
    number, height, width = uniform.shape[:3]
    places = np.broadcast_to(embedding, (number, *embedding.shape[-3:]))
    # Two rows above and two columns to the left are outside the picture: zeros.
    canvas = np.zeros((number, 3, height + 2, width + 2), np.float32)
    cache = np.zeros((number, steps.layers, steps.width, width), np.float32)
    rows = []
    for y in range(height):
        line = np.ascontiguousarray(places[:, :, y])
        vertical = steps.row(np.ascontiguousarray(canvas[:, :, y : y + 2, 2:]), cache, line)
        cache = np.ascontiguousarray(vertical[:, :-1])
        memory = np.zeros((number, steps.layers, steps.width), np.float32)
        found = []
        for x in range(width):
            parameters, memory = steps.pixel(
                np.ascontiguousarray(canvas[:, :, y + 2, x : x + 2]),
                np.ascontiguousarray(vertical[..., x]),
                np.ascontiguousarray(line[..., x]),
                memory,
            )
            canvas[:, :2, y + 2, x + 2] = _draw(parameters, uniform[:, y, x])
            canvas[:, 2, y + 2, x + 2] = 1.0
            found.append(parameters)
        rows.append(np.stack(found, axis=-1))  # (n, 6 M, w)
    return canvas[:, :2, 2:, 2:], np.stack(rows, axis=2)


def log_likelihood(colours: Floats, parameters: Floats) -> Doubles:
    """Natural logarithm of the probability of each pixel, (n, h, w).

    Args:
        colours: (n, 2, h, w), ab / 128 in whole units.
        parameters: (n, 6 M, h, w).
    """
    shares, mean_a, mean_b, scale_a, scale_b, slope = _parts(parameters)
    a, b = colours[:, 0][:, None].astype(np.float64), colours[:, 1][:, None].astype(np.float64)
    each = _log_level(a, mean_a, scale_a) + _log_level(b, mean_b + slope * a, scale_b)
    total = _log_softmax(shares) + each  # (n, M, h, w)
    top = total.max(axis=1)
    result: Doubles = top + np.log(np.exp(total - top[:, None]).sum(axis=1))
    return result


def _parts(parameters: Floats) -> list[Doubles]:
    """The six groups of M numbers, channels second; scales as logarithms, slope within ±1."""
    groups = np.split(parameters.astype(np.float64), NUM_OF_EACH, axis=1)
    groups[3], groups[4] = (np.maximum(groups[k], LOG_SCALE_FLOOR) for k in (3, 4))
    groups[5] = np.tanh(groups[5])
    return groups


def _log_softmax(values: Doubles) -> Doubles:
    top = values.max(axis=1, keepdims=True)
    result: Doubles = values - top - np.log(np.exp(values - top).sum(axis=1, keepdims=True))
    return result


def _log_level(value: Doubles, mean: Doubles, log_scale: Doubles) -> Doubles:
    """Logarithm of a logistic's probability of one level; the outermost take the tails."""
    inverse = np.exp(-log_scale)
    upper = _log_sigmoid((value - mean + _HALF) * inverse)
    beyond = _log_sigmoid(-(value - mean - _HALF) * inverse)
    # sigmoid(u) - sigmoid(l) = sigmoid(u) sigmoid(-l) (1 - exp(l - u)), without cancellation
    inside = upper + beyond + np.log(-np.expm1(-2.0 * _HALF * inverse))
    at_top = value >= HIGHEST - _HALF
    at_bottom = value <= LOWEST + _HALF
    return np.where(at_bottom, upper, np.where(at_top, beyond, inside))


def _log_sigmoid(values: Doubles) -> Doubles:
    return -np.logaddexp(0.0, -values)


def _draw(parameters: Floats, uniform: Doubles) -> Floats:
    """Colours (n, 2) from mixtures (n, 6 M) by uniform numbers (n, 3): share, a, b."""
    shares, mean_a, mean_b, scale_a, scale_b, slope = _parts(parameters)
    cumulative = np.exp(_log_softmax(shares)).cumsum(axis=1)
    chosen = (uniform[:, :1] * cumulative[:, -1:] > cumulative).sum(axis=1)
    each = np.arange(len(chosen))
    chance = np.log(uniform[:, 1:].astype(np.float64)) - np.log1p(-uniform[:, 1:])
    a = _level(mean_a[each, chosen] + np.exp(scale_a[each, chosen]) * chance[:, 0])
    b = (
        mean_b[each, chosen]
        + slope[each, chosen] * a
        + np.exp(scale_b[each, chosen]) * chance[:, 1]
    )
    return np.stack([a, _level(b)], axis=1).astype(np.float32)


def _level(value: Doubles) -> Doubles:
    result: Doubles = np.clip(np.round(value * LEVELS) / LEVELS, LOWEST, HIGHEST)
    return result
