"""Open photos: samples that repeat, strokes that show, places that tell, memory that is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from huefield.colorizer import Colorizer, OpenPhoto
from huefield.gcrf import Kernel, Weights, open_solver
from huefield.lab import AB_SCALE, rgb_to_lab, rgb_to_lightness, scale_gray
from huefield.networks import Networks
from huefield.photo import read_photo
from huefield.strokes import Edits, Region, Stroke, Tie, coverage, rasterize
from huefield.upsample import grid_lightness


@pytest.fixture(scope="module")
def colorizer(tiny_networks: Networks) -> Colorizer:
    return Colorizer(tiny_networks, "cpu", anticipate=False)


@pytest.fixture(scope="module")
def opened(colorizer: Colorizer, example_photos: Mapping[str, Path]) -> OpenPhoto:
    """The mechanic, 570 x 444."""
    return colorizer.open(read_photo(example_photos["mechanic"].read_bytes()))


@pytest.fixture(scope="module")
def edits(opened: OpenPhoto) -> Edits:
    """A red stroke over the mechanic's shirt."""
    return Edits(opened.photo.size, (Stroke(((380.0, 120.0), (430.0, 170.0)), 18.0, (42.0, 30.0)),))


def test_grid_keeps_the_aspect(opened: OpenPhoto) -> None:
    h, w = opened.grid
    assert h % 8 == w % 8 == 0
    assert h * w == pytest.approx(1024, rel=0.3)
    assert w / h == pytest.approx(570 / 444, rel=0.3)  # steps of 8 are coarse at this size


def test_samples_repeat_bit_for_bit(colorizer: Colorizer, opened: OpenPhoto, edits: Edits) -> None:
    again = colorizer.open(opened.photo)
    for arguments in ({}, {"edits": edits}, {"edits": edits, "condition": True}):
        first = opened.samples(4, 7, **arguments)
        second = again.samples(4, 7, **arguments)
        third = opened.samples(4, 7, **arguments)
        for a, b, c in zip(first, second, third, strict=True):
            assert np.array_equal(a.field, b.field)
            assert np.array_equal(a.field, c.field)
            assert np.array_equal(a.z, b.z)
            assert (a.component, a.log_prob, a.fit) == (b.component, b.log_prob, b.fit)


def test_samples_carry_what_they_are(opened: OpenPhoto) -> None:
    samples = opened.samples(6, 3)
    assert [sample.index for sample in samples] == list(range(6))
    assert all(sample.seed == 3 and sample.fit == 1.0 for sample in samples)
    assert all(sample.field.shape == (*opened.grid, 2) for sample in samples)
    assert all(sample.field.dtype == np.float32 for sample in samples)
    assert all(sample.z.shape == (64,) for sample in samples)
    assert samples[0].log_prob == max(sample.log_prob for sample in samples)


def test_seed_and_count_mean_something(opened: OpenPhoto) -> None:
    six, two = opened.samples(6, 1), opened.samples(2, 1)
    np.testing.assert_allclose(two[1].field, six[1].field, atol=1e-3)
    other = opened.samples(6, 2)
    np.testing.assert_allclose(other[0].field, six[0].field, atol=1e-3)  # the likeliest
    assert np.abs(other[1].field - six[1].field).mean() > 0.5
    assert np.abs(six[1].field - six[2].field).mean() > 0.5
    with pytest.raises(ValueError, match="at least 1 sample, got 0"):
        opened.samples(0)


def test_a_sample_is_the_crf_of_the_decoder(opened: OpenPhoto, tiny_networks: Networks) -> None:
    gray = scale_gray(grid_lightness(opened.photo.lightness, opened.grid))
    sample = opened.samples(2, 5)[1]
    unary = tiny_networks.decode(gray, sample.z[None])[0]  # (2, h, w)
    alpha = unary.transpose(1, 2, 0).reshape(-1, 2) * AB_SCALE
    embedding = tiny_networks.embed(gray)
    solver = open_solver(
        embedding.reshape(len(embedding), -1), Kernel("distance", True), Weights(), "cpu"
    )
    everywhere = np.full(len(alpha), 5.0, np.float32)
    wanted = solver.solve(everywhere, alpha[None])[0].reshape(*opened.grid, 2)
    np.testing.assert_allclose(sample.field, wanted, atol=2e-3)
    assert np.abs(wanted - alpha.reshape(wanted.shape)).mean() > 0.05  # the G-CRF does something


def test_edits_keep_codes_unless_conditioned(opened: OpenPhoto, edits: Edits) -> None:
    plain = opened.samples(4, 2)
    corrected = opened.samples(4, 2, edits)
    conditioned = opened.samples(4, 2, edits, condition=True)
    for before, after in zip(plain, corrected, strict=True):
        assert np.array_equal(before.z, after.z)
        assert 0 <= after.fit < 1
        assert after.edits == edits
    assert conditioned[0].fit > np.mean([sample.fit for sample in corrected])
    # The likeliest code may be the one that fits best, but not all four will be the same.
    codes = {sample.z.tobytes() for sample in conditioned}
    assert len(codes) == 4
    assert codes != {sample.z.tobytes() for sample in plain}


def test_every_sample_follows_a_stroke_on_the_grid(opened: OpenPhoto, edits: Edits) -> None:
    constraints = rasterize(edits, opened.grid)
    whole = np.flatnonzero(constraints.weights > 0.99)
    assert len(whole) >= 3
    for sample in opened.samples(3, 0, edits):
        missed = constraints.rows @ sample.field.reshape(-1, 2) - constraints.targets
        assert np.abs(missed[whole]).mean() < 3.0


def test_a_stroke_shows_its_colour_at_full_size(opened: OpenPhoto) -> None:
    size = opened.photo.size
    ab = (14.0, 18.0)  # within sRGB at the lightness found there
    stroke = Stroke(((380.0, 120.0), (430.0, 170.0), (440.0, 260.0)), 12.0, ab)
    edits = Edits(size, (stroke,))
    labels, _ = coverage(edits, (opened.photo.height, opened.photo.width))
    lightness = opened.photo.lightness
    inside = (labels == 0) & (lightness > 25) & (lightness < 85)
    assert inside.sum() > 3000
    for sample in opened.samples(3, 0, edits, condition=True):
        shown = rgb_to_lab(opened.render(sample))[..., 1:]
        errors = np.linalg.norm(shown[inside] - ab, axis=1)
        assert errors.mean() <= 3.0


def test_no_edits_is_the_same_as_empty_edits(opened: OpenPhoto) -> None:
    empty = Edits(opened.photo.size)
    for a, b in zip(opened.samples(2, 4), opened.samples(2, 4, empty), strict=True):
        assert np.array_equal(a.field, b.field)
        assert a.fit == b.fit == 1.0


def test_ties_bring_two_places_together(opened: OpenPhoto) -> None:
    sample = opened.samples(3, 9)[2]
    places = [(60.0, 60.0), (520.0, 400.0)]
    cells = [opened.cell(*place) for place in places]
    before = sample.field.reshape(-1, 2)[cells]
    tie = Tie(*(Region((place,), 14.0) for place in places))
    tied = opened.samples(3, 9, Edits(opened.photo.size, (), (tie,)))[2]
    after = tied.field.reshape(-1, 2)[cells]
    apart = np.linalg.norm(before[0] - before[1])
    assert apart > 1.0
    assert np.linalg.norm(after[0] - after[1]) < 0.5 * apart


def test_render_keeps_lightness_and_size(opened: OpenPhoto) -> None:
    sample = opened.samples(2, 0)[1]
    full = opened.render(sample)
    assert full.shape == opened.photo.rgb.shape
    assert full.dtype == np.uint8
    difference = np.abs(rgb_to_lightness(full) - opened.photo.lightness)
    assert difference.mean() < 1.0
    preview = opened.render(sample, 256)
    assert max(preview.shape[:2]) == 256
    assert preview.shape[0] == pytest.approx(256 * 444 / 570, abs=1)
    assert np.array_equal(opened.render(sample, 100_000), full)
    assert np.array_equal(opened.render(sample, 256), preview)


def test_render_shows_the_field(opened: OpenPhoto) -> None:
    first, second = opened.samples(6, 0)[1:3]
    apart = rgb_to_lab(opened.render(first, 200)) - rgb_to_lab(opened.render(second, 200))
    assert np.abs(apart[..., 1:]).mean() > 0.5
    gray = replace(first, field=np.zeros_like(first.field))
    assert np.abs(rgb_to_lab(opened.render(gray, 200))[..., 1:]).mean() < 0.2


def test_influence_is_a_row_of_s_and_a_reach(opened: OpenPhoto) -> None:
    row, column = opened.influence(400.0, 150.0)
    assert row.shape == column.shape == opened.grid
    assert row.sum() == pytest.approx(1.0, abs=1e-4)
    cell = np.unravel_index(opened.cell(400.0, 150.0), opened.grid)
    assert column[cell] == column.max()


def test_uncertainty_is_a_positive_map(opened: OpenPhoto) -> None:
    deviation = opened.uncertainty()
    assert deviation.shape == opened.grid
    assert deviation.min() > 0
    assert deviation.std() > 0


def test_a_stroke_helps_where_samples_differ_and_it_reaches_far(opened: OpenPhoto) -> None:
    fields = np.stack([sample.field for sample in opened.samples(6)])
    helps = opened.helps(fields)
    assert helps.shape == opened.grid
    assert helps.min() > 0
    spread = np.sqrt(fields.var(axis=0).sum(axis=2))
    # What a stroke at a cell changes is a column of the edits' inverse precision.
    (h, w), (wide, high) = opened.grid, opened.photo.size
    cells = [(h // 8, w // 8), (h // 2, w // 3), (2 * h // 3, 3 * w // 4)]
    width, height = wide / w, high / h
    for row, column in cells:
        _, moved = opened.influence((column + 0.5) * width, (row + 0.5) * height)
        reach = moved.sum() / moved[row, column]
        share = helps[row, column] / helps[cells[0]]
        y, x = cells[0]
        first = opened.influence((x + 0.5) * width, (y + 0.5) * height)[1]
        wanted = (spread[row, column] + 1e-3) * reach
        wanted /= (spread[cells[0]] + 1e-3) * first.sum() / first[cells[0]]
        assert share == pytest.approx(wanted, rel=1e-2)
    assert not np.allclose(opened.helps(), helps)
    assert np.allclose(opened.helps(), opened.helps(fields[:1]))


def test_palette_suggests_what_samples_have(opened: OpenPhoto) -> None:
    colors = opened.palette(300.0, 200.0)
    assert 1 <= len(colors) <= 6
    assert colors == sorted(colors, key=lambda color: -color.share)
    assert opened.palette(300.0, 200.0) == colors
    assert opened.palette(20.0, 430.0) != colors
    assert len(opened.palette(300.0, 200.0, 1)) == 1


@pytest.mark.parametrize(("x", "y"), [(-1, 5), (5, -0.5), (571, 5), (5, 445)])
def test_places_outside_are_refused(opened: OpenPhoto, x: float, y: float) -> None:
    with pytest.raises(ValueError, match="lies outside the photo of 570 x 444"):
        opened.influence(x, y)
    with pytest.raises(ValueError, match="outside"):
        opened.palette(x, y)


def test_cells_cover_the_photo(opened: OpenPhoto) -> None:
    h, w = opened.grid
    assert opened.cell(0, 0) == 0
    assert opened.cell(570, 444) == h * w - 1
    assert opened.cell(569.9, 0) == w - 1


def test_memory_and_time_are_counted(colorizer: Colorizer, opened: OpenPhoto, edits: Edits) -> None:
    fresh = colorizer.open(opened.photo)
    pixels = opened.photo.lightness.nbytes + opened.photo.rgb.nbytes
    at_first = fresh.nbytes
    assert at_first > pixels
    fresh.samples(3, 0)
    with_samples = fresh.nbytes
    assert with_samples > at_first
    fresh.samples(3, 0, edits)
    factored = fresh.nbytes
    assert factored - with_samples >= 4 * fresh.samples(1)[0].field[..., 0].size ** 2
    fresh.render(fresh.samples(1)[0], 400)
    assert fresh.nbytes > factored
    for step in ("grid", "embed", "mixture", "similarity", "decode", "smooth", "edits", "render"):
        assert fresh.timings[step] >= 0
    assert "condition" not in fresh.timings


def test_strokes_are_prepared_in_the_background(
    tiny_networks: Networks, opened: OpenPhoto, edits: Edits
) -> None:
    eager = Colorizer(tiny_networks, "cpu").open(opened.photo)
    eager.samples(2)
    eager.wait()
    assert eager.timings["factor"] > 0
    for a, b in zip(eager.samples(2, 0, edits), opened.samples(2, 0, edits), strict=True):
        assert np.array_equal(a.field, b.field)


def test_settings_of_the_model_are_used(tiny_networks: Networks, opened: OpenPhoto) -> None:
    info = tiny_networks.info
    strong = replace(info, chroma_gain=2.0)
    loose = replace(info, gcrf=replace(info.gcrf, beta=0.5))
    inner = replace(info, kernel=replace(info.kernel, kind="inner"))
    fine = replace(info, grid_area=2048)
    plain = opened.samples(2, 0)[1].field

    def field(changed: object) -> np.ndarray:
        networks = object.__new__(Networks)
        networks.__dict__.update(tiny_networks.__dict__ | {"info": changed})
        return (
            Colorizer(networks, "cpu", anticipate=False).open(opened.photo).samples(2, 0)[1].field
        )

    np.testing.assert_allclose(field(strong), 2 * plain, rtol=1e-3, atol=1e-3)
    assert np.abs(field(loose) - plain).mean() > 0.05
    assert np.abs(field(inner) - plain).mean() > 0.01
    assert field(fine)[..., 0].size == pytest.approx(2048, rel=0.2)


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 2), (9, 40)])
def test_tiny_and_narrow_photos_are_coloured(
    colorizer: Colorizer, opened: OpenPhoto, shape: tuple[int, int]
) -> None:
    height, width = shape
    rows = np.resize(opened.photo.lightness, (height, width)).astype(np.float32)
    rgb = np.zeros((height, width, 3), np.uint8)
    photo = replace(opened.photo, lightness=rows, rgb=rgb)
    narrow = colorizer.open(photo)
    edits = Edits((width, height), (Stroke(((0.5, 0.5),), 1.0, (20.0, 20.0)),))
    for sample in narrow.samples(2, 0, edits, condition=True):
        assert narrow.render(sample).shape == (height, width, 3)


def test_strokes_one_by_one_give_the_bits_of_all_at_once(
    colorizer: Colorizer, example_photos: Mapping[str, Path]
) -> None:
    """What an open edit file shows is what was on the page when it was saved."""
    photo = read_photo(example_photos["mechanic"].read_bytes())
    rng = np.random.default_rng(2)
    strokes = tuple(
        Stroke(
            tuple(map(tuple, (rng.uniform(40, 400, 2) + rng.uniform(-50, 50, (9, 2))).tolist())),
            float(rng.uniform(10, 30)),
            (float(rng.uniform(-50, 50)), float(rng.uniform(-50, 50))),
            keep=k in (5, 9),
        )
        for k in range(12)
    )
    painted = colorizer.open(photo)
    for count in (*range(1, 13), 4, 12):
        samples = painted.samples(3, 0, Edits(photo.size, strokes[:count]))
        if count in (4, 8, 12):
            fresh = colorizer.open(photo).samples(3, 0, Edits(photo.size, strokes[:count]))
            for one, other in zip(samples, fresh, strict=True):
                assert np.array_equal(one.field, other.field)
                assert one.fit == other.fit
