"""Speed and memory of open photos, on the shipped model and a photo of one megapixel.

Each test compares two ways of doing one thing in the same run, so that it means the same on any
machine; memory is a plain number. `make bench` prints the medians beside the limits that two
processors are to keep.
"""

from __future__ import annotations

import io
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from huefield.colorizer import Colorizer, OpenPhoto, Sample
from huefield.networks import default_models_root, load_model
from huefield.photo import Photo, read_photo
from huefield.strokes import Edits, Stroke

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

PREVIEW = 512
MEGABYTE = 1e6


@pytest.fixture(scope="module")
def model() -> Path:
    folder = default_models_root() / "photos"
    if not (folder / "model.json").is_file():
        pytest.skip(f"no model in {folder}")
    return folder


@pytest.fixture(scope="module")
def colorizer(model: Path) -> Colorizer:
    made = Colorizer(load_model(model), anticipate=False)
    made.open(read_photo(enlarged(600))).samples(6)  # warm
    return made


def enlarged(width: int) -> bytes:
    """A shipped photo in gray as JPEG, `width` pixels wide."""
    path = Path(__file__).parents[2] / "static" / "examples" / "boothbay.jpg"
    with Image.open(path) as picture:
        gray = picture.convert("L").resize((width, width * 2 // 3), Image.Resampling.LANCZOS)
    pixels = np.asarray(gray, np.float32)
    grain = np.random.default_rng(0).normal(0.0, 2.0, pixels.shape)
    stream = io.BytesIO()
    grainy = Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8))
    grainy.save(stream, "JPEG", quality=90)
    return stream.getvalue()


@pytest.fixture(scope="module")
def photo() -> Photo:
    """1224 x 816: one megapixel."""
    return read_photo(enlarged(1224))


@pytest.fixture(scope="module")
def opened(colorizer: Colorizer, photo: Photo) -> OpenPhoto:
    """With its samples out, ready for strokes, previews shown once."""
    made = colorizer.open(photo)
    made.prepare()
    made.wait()
    for sample in made.samples(6):
        made.render(sample, PREVIEW)
    return made


def strokes(photo: Photo, count: int) -> Edits:
    """As many strokes as a person has drawn so far."""
    made = tuple(
        Stroke(((90.0 * k + 60, 300.0), (90.0 * k + 120, 420.0 + 15 * k)), 14.0, (35.0 - 9 * k, 20))
        for k in range(count)
    )
    return Edits(photo.size, made)


def previews(photo: OpenPhoto, samples: list[Sample]) -> None:
    for sample in samples:
        photo.render(sample, PREVIEW)


def median(work: Callable[[int], object], times: int = 5) -> float:
    """Median seconds of `work(k)`."""
    seconds = []
    for k in range(times):
        start = time.perf_counter()
        work(k)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def say(what: str, figure: float, unit: str, limit: str) -> None:
    print(f"\n  {what}: {figure:.3f} {unit} (limit {limit})", end="")


def test_first_samples_need_no_factor(colorizer: Colorizer, photo: Photo) -> None:
    def quick(_: int) -> None:
        colorizer.open(photo).samples(6)

    def thorough(_: int) -> None:
        fresh = colorizer.open(photo)
        fresh.prepare()
        fresh.wait()
        fresh.samples(6)

    seconds = median(quick)
    say("open + 6 samples, 1 megapixel", seconds, "s", "2.5 s")
    shown = median(lambda _: previews(*_with_samples(colorizer, photo)), 3)
    say("the same with 6 previews", shown, "s", "2.5 s")
    assert seconds * 1.5 < median(thorough, 3)


def _with_samples(colorizer: Colorizer, photo: Photo) -> tuple[OpenPhoto, list[Sample]]:
    made = colorizer.open(photo)
    return made, made.samples(6)


def test_a_stroke_is_ten_times_quicker_than_anew(
    colorizer: Colorizer, photo: Photo, opened: OpenPhoto
) -> None:
    again = median(lambda k: opened.samples(6, 0, strokes(photo, k + 1)))
    anew = median(lambda k: colorizer.open(photo).samples(6, 0, strokes(photo, k + 1)), 3)
    say("samples after a further stroke", again, "s", f"a tenth of {anew:.3f} s")
    assert again * 10 < anew
    assert_equal(opened, colorizer.open(photo), strokes(photo, 3))


def test_the_sixtieth_stroke_costs_little_more_than_the_first(
    colorizer: Colorizer, photo: Photo
) -> None:
    fresh = colorizer.open(photo)
    fresh.samples(6)
    fresh.wait()
    drawn: tuple[Stroke, ...] = ()
    seconds = []
    for k in range(60):
        x, y = 180 + 86.0 * (k % 10), 120 + 95.0 * (k // 10)
        points = tuple((x + 4.0 * step, y + 1.5 * step) for step in range(11))
        drawn = (*drawn, Stroke(points, 20.0, (-20.0, 25.0 - k)))
        start = time.process_time()
        fresh.samples(6, 0, Edits(photo.size, drawn))
        seconds.append(time.process_time() - start)
    early, late = statistics.median(seconds[:10]), statistics.median(seconds[-10:])
    say("strokes 1 to 10, processor time", early, "s", "none")
    say("strokes 51 to 60, processor time", late, "s", "none")
    assert late < early + 0.05


def assert_equal(one: OpenPhoto, other: OpenPhoto, edits: Edits) -> None:
    for a, b in zip(one.samples(6, 0, edits), other.samples(6, 0, edits), strict=True):
        assert np.abs(a.field - b.field).max() < 1e-3 * 128


def test_a_stroke_with_previews_costs_less_than_one_full_picture_each(
    photo: Photo, opened: OpenPhoto
) -> None:
    def follow(k: int) -> None:
        previews(opened, opened.samples(6, 0, strokes(photo, k + 1)))

    seconds = median(follow)
    say("further stroke, 6 samples and previews", seconds, "s", "0.250 s")
    samples = opened.samples(6, 0, strokes(photo, 2))
    full = median(lambda _: [opened.render(sample) for sample in samples], 3)
    assert seconds < full


def test_open_photo_memory(photo: Photo, opened: OpenPhoto) -> None:
    samples = opened.samples(6, 0, strokes(photo, 5), condition=True)
    previews(opened, samples)
    opened.render(samples[0])
    opened.palette(100, 100)
    say("memory of an open photo", opened.nbytes / MEGABYTE, "MB", "160 MB")
    assert opened.nbytes <= 160 * MEGABYTE


WORKER = """
import sys
from pathlib import Path
import psutil
from huefield.colorizer import Colorizer
from huefield.networks import load_model
from huefield.photo import read_photo
from huefield.photo_cache import PhotoCache
from huefield.strokes import Edits, Stroke

colorizer = Colorizer(load_model(sys.argv[1]))
cache = PhotoCache(500_000_000)
for k in range(8):
    data = Path(sys.argv[2]).read_bytes()
    with cache.using(k, lambda: colorizer.open(read_photo(data))) as photo:
        edits = Edits(photo.photo.size, (Stroke(((300.0, 300.0),), 20.0, (30.0, 20.0)),))
        for sample in photo.samples(6, 0, edits):
            photo.render(sample, 512)
        photo.render(sample)
        photo.wait()
print(psutil.Process().memory_info().rss, cache.nbytes)
"""


def test_worker_memory_is_bounded(model: Path, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(enlarged(1224))
    command = [sys.executable, "-c", WORKER, str(model), str(tmp_path / "photo.jpg")]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    resident, cached = map(int, answer.stdout.split())
    say("worker after 8 photos", resident / MEGABYTE, "MB", "1500 MB")
    say("of which the cache counts", cached / MEGABYTE, "MB", "500 MB")
    assert cached <= 500 * MEGABYTE
    assert resident <= 1500 * MEGABYTE


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """6000 x 4000: 24 megapixels."""
    path = tmp_path / "large.jpg"
    path.write_bytes(enlarged(6000))
    return path


def test_24_megapixels_on_the_command_line(model: Path, large: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", "from huefield.cli import main; main()"]
    arguments: Mapping[str, str] = {"--out": str(out), "--model": model.name}
    options = [word for pair in arguments.items() for word in pair]
    start = time.perf_counter()
    process = psutil.Popen([*command, "colorize", str(large), *options])
    peak = 0
    while process.poll() is None:
        try:
            peak = max(peak, process.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.05)
    assert process.wait() == 0
    seconds = time.perf_counter() - start
    say("24 megapixels, 6 samples", seconds, "s", "15 s")
    say("peak memory", peak / MEGABYTE, "MB", "3000 MB")
    assert peak <= 3000 * MEGABYTE
    with Image.open(out / "large-1.png") as picture:
        picture.load()
    start = time.perf_counter()
    picture.save(io.BytesIO(), "PNG")
    alone = time.perf_counter() - start
    assert seconds < 6 * alone, "quicker than Pillow's PNG encoder alone for six such pictures"
