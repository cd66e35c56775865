"""CIE Lab (D65, 2 degrees) to and from sRGB, the sRGB gamut at fixed L, the networks' scaling.

Everything that knows how colour is encoded is here: `photo` takes L from it, `colorizer` and the
networks its scaling, and every picture that leaves the program goes through `render_rgb8`.

Source: IEC 61966-2-1 (sRGB), CIE 15:2004 (Lab). Matrix and white point are scikit-image's, so that
both agree to rounding; a neutral gray then has |a|, |b| < 0.01.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from huefield.bands import for_each_band

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

L_CENTER = 50.0
L_SCALE = 50.0
AB_SCALE = 128.0

_XYZ_FROM_RGB = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])
_LMS_FROM_RGB = (_XYZ_FROM_RGB / _WHITE[:, None]).astype(np.float32)  # XYZ relative to white
_RGB_FROM_LMS = (np.linalg.inv(_XYZ_FROM_RGB) * _WHITE).astype(np.float32)

_DELTA = np.float32(6 / 29)  # below it the cube root is replaced by its tangent
_CUT = np.float32((6 / 29) ** 3)
_SLOPE = np.float32(3 * (6 / 29) ** 2)
_OFFSET = np.float32(4 / 29)

_CURVE_SIZE = 16_384
_LOWEST = np.float32(-0.5 / 255 / 12.92)  # linear light that still rounds to code 0,
_HIGHEST = np.float32(1 + 0.5 / 255 * 2.27)  # and to code 255
_TABLE_L = 256
_TABLE_HUE = 1024
_MAX_CHROMA = np.float32(140.0)  # blue, the most chromatic colour of sRGB, has 133.8


def scale_gray(lightness: Floats) -> Floats:
    """Network input: L in 0..100 as float32 in -1..1, same shape."""
    return np.asarray((lightness - np.float32(L_CENTER)) / np.float32(L_SCALE), np.float32)


def scale_ab(ab: Floats) -> Floats:
    """Network colours: ab over 128, float32, same shape."""
    return np.asarray(ab / np.float32(AB_SCALE), np.float32)


def unscale_ab(ab: Floats) -> Floats:
    """Colours in Lab units from the networks' own, float32, same shape."""
    return np.asarray(ab * np.float32(AB_SCALE), np.float32)


def rgb_to_light(rgb: ArrayLike) -> Floats:
    """Linear light (..., 3) float32 of sRGB codes, uint8 or float in 0..1."""
    values = np.asarray(rgb)
    if values.dtype == np.uint8:
        return np.take(_decode_table(), values)
    values = np.clip(values, 0.0, 1.0).astype(np.float32)
    power = ((values + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    linear = np.where(values > np.float32(0.04045), power, values / np.float32(12.92))
    return np.asarray(linear, np.float32)


@cache
def _decode_table() -> Floats:
    """Linear light (256,) of the 8-bit sRGB codes."""
    return rgb_to_light(np.arange(256, dtype=np.float64) / 255)


def _encode(linear: NDArray[Any]) -> NDArray[Any]:
    """Values of sRGB in 0..1 of linear light in 0..1, same shape and dtype."""
    power = 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055
    return np.where(linear > 0.0031308, power, linear * 12.92).astype(linear.dtype)


@cache
def _code_table() -> Bytes:
    """Codes of sRGB (16384,) of linear light i / 16383."""
    codes = _encode(np.linspace(0.0, 1.0, _CURVE_SIZE)) * 255
    return np.asarray(np.rint(codes), np.uint8)


@cache
def _lightness_table() -> Floats:
    """L (16385,) of relative luminance i / 16383; the last value is there to be interpolated to."""
    luminance = np.arange(_CURVE_SIZE + 1) / (_CURVE_SIZE - 1)
    return np.asarray(116 * _root(luminance) - 16, np.float32)


def _root(ratio: NDArray[Any]) -> NDArray[Any]:
    """CIE's f: cube root, with its tangent below (6/29)^3."""
    return np.where(ratio > _CUT, np.cbrt(ratio), ratio / _SLOPE + _OFFSET)


def _unroot(root: Floats) -> Floats:
    """Inverse of `_root` without branches: cube above 6/29, tangent of the cube below."""
    above = np.maximum(root, _DELTA)
    cubed = above * above
    cubed *= above
    np.subtract(root, above, out=above)  # 0 above, negative below
    above *= _SLOPE
    cubed += above
    return cubed


def light_to_luminance(light: Floats) -> Floats:
    """Relative luminance (...) float32, 0..1, of linear light (..., 3)."""
    return np.asarray(light @ _LMS_FROM_RGB[1], np.float32)


def luminance_to_lightness(luminance: Floats) -> Floats:
    """L (...) float32, 0..100, of relative luminance in the same shape."""
    return np.asarray(116 * _root(luminance) - 16, np.float32)


def rgb_to_lab(rgb: ArrayLike) -> Floats:
    """Lab (..., 3) float32 of sRGB.

    Args:
        rgb: (..., 3), uint8 or float in 0..1.
    """
    ratio = rgb_to_light(rgb) @ _LMS_FROM_RGB.T
    roots = _root(ratio)
    lab = np.empty(ratio.shape, np.float32)
    lab[..., 0] = 116 * roots[..., 1] - 16
    lab[..., 1] = 500 * (roots[..., 0] - roots[..., 1])
    lab[..., 2] = 200 * (roots[..., 1] - roots[..., 2])
    return lab


def rgb_to_lightness(rgb: ArrayLike) -> Floats:
    """L (...) float32 in 0..100 of sRGB (..., 3), uint8 (the quick case) or float in 0..1."""
    values = np.asarray(rgb)
    if values.dtype != np.uint8 or values.ndim < 2:
        return luminance_to_lightness(light_to_luminance(rgb_to_light(values)))
    shares = _decode_table()[:, None] * _LMS_FROM_RGB[1] * np.float32(_CURVE_SIZE - 1)
    red, green, blue = np.ascontiguousarray(shares.T)
    table = _lightness_table()
    step = np.diff(table)
    flat = values.reshape(-1, 3)
    lightness = np.empty(flat.shape[0], np.float32)

    def band(first: int, last: int) -> None:
        part = flat[first:last]
        position = red[part[:, 0]]
        position += green[part[:, 1]]
        position += blue[part[:, 2]]
        index = position.astype(np.int32)
        np.minimum(index, _CURVE_SIZE - 1, out=index)
        position -= index
        position *= step[index]
        np.add(position, table[index], out=lightness[first:last])

    # One "row" of this flat view is one pixel.
    for_each_band(flat.shape[0], 1, band)
    np.clip(lightness, 0.0, 100.0, out=lightness)
    return lightness.reshape(values.shape[:-1])


def _linear(lightness: Floats, a: Floats, b: Floats) -> tuple[Floats, Floats, Floats]:
    """Linear sRGB light, three arrays in the shape of the arguments, outside 0..1 off the gamut."""
    root_y = lightness * np.float32(1 / 116)
    root_y += np.float32(16 / 116)
    x = _unroot(root_y + a * np.float32(1 / 500))
    z = _unroot(root_y - b * np.float32(1 / 200))
    y = _unroot(root_y)
    red, green, blue = (x * row[0] + y * row[1] + z * row[2] for row in _RGB_FROM_LMS)
    return red, green, blue


def lab_to_rgb(lab: ArrayLike) -> Floats:
    """Colour in sRGB (..., 3) float32, each channel clipped to 0..1, of Lab (..., 3).

    See `render_rgb8` for clipping that keeps L and hue.
    """
    values = np.asarray(lab, np.float32)
    linear = np.stack(_linear(values[..., 0], values[..., 1], values[..., 2]), axis=-1)
    return np.asarray(_encode(np.clip(linear, 0.0, 1.0)), np.float32)


def _outside(red: Floats, green: Floats, blue: Floats) -> NDArray[np.bool_]:
    """Where linear light leaves sRGB by more than rounding to 8 bits forgives."""
    low = np.minimum(np.minimum(red, green), blue)
    high = np.maximum(np.maximum(red, green), blue)
    return np.asarray((low < _LOWEST) | (high > _HIGHEST))


@cache
def _chroma_table() -> Floats:
    """Largest chroma inside sRGB, (256, 1025): L from 0 to 100, hue from -180 to 180 degrees.

    The gamut is left where the first of 48 steps outwards is outside; bisection does the rest.
    """
    lightness = np.linspace(0.0, 100.0, _TABLE_L, dtype=np.float32)[:, None]
    hue = np.linspace(-np.pi, np.pi, _TABLE_HUE + 1, dtype=np.float32)[None, :]
    cos, sin = np.cos(hue), np.sin(hue)
    inside = np.zeros((_TABLE_L, _TABLE_HUE + 1), np.float32)
    alive = np.ones(inside.shape, bool)
    step = _MAX_CHROMA / np.float32(48)
    for chroma in step * np.arange(1, 49, dtype=np.float32):
        alive &= ~_outside(*_linear(lightness, chroma * cos, chroma * sin))
        inside[alive] = chroma
    for _ in range(8):
        step *= np.float32(0.5)
        trial = inside + step
        fits = ~_outside(*_linear(lightness, trial * cos, trial * sin))
        inside[fits] = trial[fits]
    return inside


def _gamut_share(lightness: Floats, a: Floats, b: Floats) -> Floats:
    """Factor in 0..1 that brings (a, b) into sRGB at its L; all arrays (N,)."""
    table = _chroma_table().reshape(-1)
    row = lightness * np.float32((_TABLE_L - 1) / 100)
    column = np.arctan2(b, a)
    column += np.float32(np.pi)
    column *= np.float32(_TABLE_HUE / (2 * np.pi))
    top = np.minimum(row.astype(np.int32), _TABLE_L - 2)
    left = np.clip(column.astype(np.int32), 0, _TABLE_HUE - 1)
    row -= top
    column -= left
    index = top * np.int32(_TABLE_HUE + 1) + left
    upper = table[index] * (1 - column) + table[index + 1] * column
    index += np.int32(_TABLE_HUE + 1)
    lower = table[index] * (1 - column) + table[index + 1] * column
    limit = upper * (1 - row) + lower * row
    share = limit / np.maximum(np.hypot(a, b), np.float32(1e-6))
    return np.asarray(np.minimum(share, np.float32(1)), np.float32)


def clip_to_gamut(lightness: ArrayLike, ab: ArrayLike) -> Floats:
    """Colours ab (..., 2) float32 inside sRGB: L and hue kept, chroma lowered where it has to be.

    Args:
        lightness: (...), L; what lies outside 0..100 counts as the nearer end.
        ab: (..., 2), colours in Lab units.
    """
    clipped = np.array(ab, np.float32)
    flat = clipped.reshape(-1, 2)
    gray = np.broadcast_to(np.asarray(lightness, np.float32), clipped.shape[:-1]).reshape(-1)
    gray = np.clip(gray, 0.0, 100.0)
    index = np.flatnonzero(_outside(*_linear(gray, flat[:, 0], flat[:, 1])))
    flat[index] *= _gamut_share(gray[index], flat[index, 0], flat[index, 1])[:, None]
    return clipped


def render_rgb8(lightness: Floats, ab: Floats) -> Bytes:
    """8-bit sRGB (H, W, 3) of L and colours, clipped to the gamut at fixed L and hue.

    Args:
        lightness: (H, W) float32, 0..100.
        ab: (H, W, 2) float32, Lab units.
    """
    height, width = lightness.shape
    rgb = np.empty((height, width, 3), np.uint8)
    codes = _code_table()
    last_code = np.float32(_CURVE_SIZE - 1)

    def band(first: int, last: int) -> None:
        gray = np.clip(lightness[first:last].reshape(-1), 0.0, 100.0)
        a = np.ascontiguousarray(ab[first:last, :, 0]).reshape(-1)
        b = np.ascontiguousarray(ab[first:last, :, 1]).reshape(-1)
        channels = _linear(gray, a, b)
        index = np.flatnonzero(_outside(*channels))
        if index.size:
            share = _gamut_share(gray[index], a[index], b[index])
            moved = _linear(gray[index], a[index] * share, b[index] * share)
            for channel, value in zip(channels, moved, strict=True):
                channel[index] = value
        pixels = rgb[first:last].reshape(-1, 3)
        for k, channel in enumerate(channels):
            channel *= last_code
            channel += np.float32(0.5)
            np.clip(channel, 0.0, last_code, out=channel)
            pixels[:, k] = codes[channel.astype(np.int32)]

    for_each_band(height, width, band)
    return rgb
