"""Measures an exported model: `python -m train.evaluate MODEL_DIR --data ZIP[:PREFIX] --out DIR`.

The model may be one of ours or, for the samples alone, an exported baseline. Writes `results.json`,
`results.md` and contact sheets. The suites are in `train.evaluation`: samples on the 64 x 64 grid,
revealed points at 256 x 256 beside the earlier methods, a painted stroke at full size, and sheets
to look at, for which grey photos will do. The same seed gives the same figures.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from huefield.baseline_info import is_baseline
from huefield.baselines import Baseline, load_baseline
from huefield.candidates import POOL_SIZE
from huefield.colorizer import Colorizer
from huefield.gcrf import Weights
from huefield.networks import MissingGpuError, ModelError, Networks, load_model
from train.data import DataError
from train.evaluation import contenders, photos, points, report, samples, strokes
from train.evaluation.model import OFF, ON, BaselineFunctions, ModelFunctions
from train.evaluation.photos import DataSource, EvaluationError
from train.plates import NUM_DRAWS

SUITES = ("samples", "points", "strokes", "sheets")
SETTINGS = {"on": (ON,), "off": (OFF,), "both": (ON, OFF)}
NUM_SHOWN = 8
PREVIEW_SIDE = 320
NUM_FULL_SIZE = 20  # photos of the strokes and sheets suites, unless told otherwise


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line, checked."""
    parser = argparse.ArgumentParser(prog="python -m train.evaluate", description=__doc__)
    parser.add_argument("model", type=Path, metavar="MODEL_DIR")
    parser.add_argument("--data", nargs="+", required=True, metavar="PATH[:PREFIX]")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--suite",
        help=f"of {','.join(SUITES)}; by default the first three, of a baseline the samples alone",
    )
    parser.add_argument("--num-photos", type=int, help="at most so many of each data set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--gcrf", choices=sorted(SETTINGS), default="both")
    parser.add_argument("--samples", default="8,100", help="numbers of samples")
    parser.add_argument(
        "--pool", type=int, default=POOL_SIZE, help="draws to pick samples from; 0: plain draws"
    )
    parser.add_argument(
        "--plates",
        action="store_true",
        help="samples are of grays as plates of a hundred years ago would have shown them",
    )
    parser.add_argument(
        "--methods",
        help=f"rows of the points suite, of {','.join(contenders.NAMES)}; all by default",
    )
    parser.add_argument("--counts", default="1,10,50,100,500", help="numbers of revealed points")
    parser.add_argument(
        "--zhang", type=Path, metavar="DIR", help="Zhang's network, see export.zhang"
    )
    parser.add_argument(
        "--resume", action="store_true", help="take over the points that OUT has already"
    )
    weights = contenders.POINTS
    for name, value, text in (
        ("points", weights.beta_edit, "pull of a revealed cell"),
        ("prior", weights.beta_prior, "pull to the prior there"),
        ("hints", contenders.BETA_HINTS, "pull to the hints network's colours there"),
    ):
        parser.add_argument(f"--beta-{name}", type=float, default=value, help=text)
    parser.add_argument(
        "--pairs", type=float, default=weights.pairs, help="pull of alike pixels there"
    )
    parser.add_argument(
        "--processes", type=int, default=1, help="that share the earlier methods' photos"
    )
    parser.add_argument("--provider", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    options = parser.parse_args(arguments)
    able = SUITES[:1] if is_baseline(options.model) else SUITES
    options.suite = options.suite.split(",") if options.suite else list(able[:3])
    for suite in options.suite:
        if suite not in able:
            parser.error(f"argument --suite: expected some of {', '.join(able)}, got {suite!r}")
    if options.pool < 0:
        parser.error(f"argument --pool: expected at least 0, got {options.pool}")
    options.methods = options.methods.split(",") if options.methods else None
    for method in options.methods or ():
        if method not in contenders.NAMES:
            names = ", ".join(contenders.NAMES)
            parser.error(f"argument --methods: expected some of {names}, got {method!r}")
    for name, least in (("samples", 2), ("counts", 1)):
        text = getattr(options, name)
        try:
            numbers = sorted({int(part) for part in text.split(",")})
        except ValueError:
            parser.error(f"argument --{name}: expected numbers, got {text!r}")
        if numbers[0] < least:
            parser.error(f"argument --{name}: expected at least {least}, got {numbers[0]}")
        setattr(options, name, numbers)
    for name in ("num_photos", "processes"):
        value = getattr(options, name)
        if value is not None and value < 1:
            parser.error(f"argument --{name.replace('_', '-')}: expected at least 1, got {value}")
    return options


def known_tints(source: DataSource, seed: int) -> NDArray[np.float32]:
    """Eight tints of a data set's train split where it has one, else of the measured photos.

    The latter is the harder rival: it knows the photos that it is measured on.
    """
    train = source.part("train")
    if source.prefix.split("/")[0] == "test":
        try:
            return samples.tints_of(photos.mean_colors(train, seed=seed), train.name, seed)
        except DataError:
            logging.getLogger(__name__).warning(
                "%s has no train split: tints of itself", source.name
            )
    return samples.tints_of(photos.mean_colors(source, seed=seed), source.name, seed)


class Evaluation:
    """One model under measurement.

    Attributes:
        tables: {data set: {suite: figures}} so far.
        sheets: {data set: contact sheets} so far.
    """

    def __init__(self, model: Networks | Baseline, options: argparse.Namespace) -> None:
        self.tables: dict[str, dict[str, report.Table]] = {}
        self.sheets: dict[str, list[Path]] = {}
        self._options = options
        self._progress = not options.quiet
        if isinstance(model, Baseline):
            self._sample: samples.SampleFn = BaselineFunctions(model).sample
            return
        self._networks = model
        self._functions = ModelFunctions(model, SETTINGS[options.gcrf], options.pool)
        self._sample = self._functions.sample
        self._colorizer = Colorizer(model, anticipate=False)

    def measure(self, source: DataSource) -> None:
        """Runs the suites that were asked for on one data set."""
        table = self.tables.setdefault(source.name, {})
        sheets = self.sheets.setdefault(source.name, [])
        for suite in self._options.suite:
            if suite == "samples":
                table[suite] = self._samples(source, sheets)
            elif suite == "points":
                table[suite] = self._points(source, sheets)
            elif suite == "strokes":
                table[suite] = self._strokes(source)
            else:
                sheets += self._previews(source)

    def _samples(self, source: DataSource, sheets: list[Path]) -> report.Table:
        options = self._options
        squares = photos.read_squares(
            source, samples.SIDE, count=options.num_photos, seed=options.seed
        )
        if options.plates:
            draws = np.random.default_rng(options.seed).random((len(squares), NUM_DRAWS))
            squares = [s.on_plate(d) for s, d in zip(squares, draws, strict=True)]
        rows: dict[str, list[list[NDArray[np.uint8]]]] = {}
        for k, square in enumerate(squares[: 2 * report.PHOTOS_PER_SHEET]):
            found = self._sample(square.lightness, NUM_SHOWN, options.seed + k)
            for setting, fields in found.items():
                rows.setdefault(setting, []).append(report.sample_row(square, fields))
        captions = ["grey", "truth", *(str(k + 1) for k in range(NUM_SHOWN))]
        for setting, pictures in rows.items():
            stem = f"{source.name}-samples-{setting.replace(' ', '-')}"
            sheets += report.write_sheets(pictures, captions, options.out, stem)
        return samples.samples_table(
            squares,
            self._sample,
            known_tints(source, options.seed),
            counts=options.samples,
            seed=options.seed,
            progress=self._progress,
        )

    def _points(self, source: DataSource, sheets: list[Path]) -> report.Table:
        options, functions = self._options, self._functions
        squares = photos.read_squares(
            source, contenders.SIDE, count=options.num_photos, seed=options.seed
        )
        names = options.methods or contenders.default_names(functions, options.zhang)
        weights = Weights(
            beta_edit=options.beta_points, beta_prior=options.beta_prior, pairs=options.pairs
        )
        kept = options.out / f"{source.name}-points.jsonl"
        if not options.resume:
            kept.unlink(missing_ok=True)
        table = points.points_table(
            squares,
            contenders.contenders(
                names,
                functions,
                weights,
                options.beta_hints,
                zhang=options.zhang,
                seed=options.seed,
            ),
            counts=options.counts,
            seed=options.seed,
            kept=kept,
            processes=options.processes,
            progress=self._progress,
        )
        curve = options.out / f"{source.name}-points.png"
        table.write_curve(curve)
        sheets.append(curve)
        return table

    def _strokes(self, source: DataSource) -> report.Table:
        options = self._options
        members = photos.choose(source.members(), options.num_photos or NUM_FULL_SIZE, options.seed)
        return strokes.strokes_table(
            [photo for _, photo in photos.read_photos(members)],
            self._colorizer.open,
            seed=options.seed,
            progress=self._progress,
        )

    def _previews(self, source: DataSource) -> list[Path]:
        """Sheets of whole photos, each as it came and in eight colourings."""
        options = self._options
        members = photos.choose(source.members(), options.num_photos or NUM_FULL_SIZE, options.seed)
        rows = []
        bar = tqdm(members, desc="sheets", unit="photo", disable=not self._progress)
        for _, photo in photos.read_photos(bar):
            opened = self._colorizer.open(photo)
            found = opened.samples(NUM_SHOWN, options.seed)
            rows.append([photo.rgb, *(opened.render(sample, PREVIEW_SIDE) for sample in found)])
        if not rows:
            raise EvaluationError(f"{source.name}: none of its photos can be read")
        captions = ["as it came", *(str(k + 1) for k in range(NUM_SHOWN))]
        stem = f"{source.name}-sheet"
        return report.write_sheets(rows, captions, options.out, stem, side=PREVIEW_SIDE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures one model; returns the exit status, 0 or 1."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    options = parse_arguments(arguments)
    sources = [DataSource.parse(text) for text in options.data]
    start = time.perf_counter()
    try:
        for source in sources:
            source.members()
        model: Networks | Baseline = (
            load_baseline(options.model)
            if is_baseline(options.model)
            else load_model(options.model, options.provider)
        )
        options.out.mkdir(parents=True, exist_ok=True)
        evaluation = Evaluation(model, options)
        for source in sources:
            evaluation.measure(source)
    except (DataError, EvaluationError, ModelError, MissingGpuError) as error:
        print(f"train.evaluate: {error}", file=sys.stderr)
        return 1
    about = {
        "model": model.info.name,
        "data": ", ".join(options.data),
        "seed": options.seed,
        "provider": model.provider,
        "num_photos": options.num_photos or "all",
        "plates": options.plates,
        "seconds": round(time.perf_counter() - start, 1),
    }
    report.write_results(options.out, about, evaluation.tables, evaluation.sheets)
    print(f"wrote {options.out / 'results.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
