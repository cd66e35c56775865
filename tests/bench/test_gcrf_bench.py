"""Speed and memory of the G-CRF at P = 4096, as ratios within one run; figures are printed.

Run by `make bench`.  Each ratio is of medians, on a real photo's lightness.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from huefield.gcrf import Kernel, Solver, Weights, cuda_unavailable, open_solver
from huefield.gcrf.dense import DenseSolver
from huefield.strokes import Constraints, Edits, Stroke, rasterize
from tests.huefield.gcrf_cases import embedding, photo_lab

pytestmark = pytest.mark.bench

GRID = (64, 64)
P = GRID[0] * GRID[1]
SIZE = (1024, 1024)
# Measured far above the 10 that the project asks for; a slower or busier machine has room.
LEAST_GAIN = 10.0


def seconds(run: Callable[[], object], repeats: int = 5) -> float:
    """Median wall time of a call."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def say(what: str, value: float) -> None:
    """Prints one figure in milliseconds."""
    print(f"  {what:<48} {value * 1e3:9.1f} ms")


@pytest.fixture(scope="module")
def A(example_photos: Mapping[str, Path]) -> np.ndarray:
    lightness = photo_lab(example_photos["boothbay"], GRID)[..., 0]
    rng = np.random.default_rng(0)
    # As wide as a trained embedding: lightness and place, and entries that tell little.
    rest = rng.standard_normal((13, P)).astype(np.float32) * 0.2
    return np.concatenate([embedding(lightness), rest])


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return (np.random.default_rng(1).standard_normal((6, P, 2)) * 20).astype(np.float32)


def drawn(num: int) -> Constraints:
    """A few strokes of about 45 cells each."""
    strokes = tuple(
        Stroke(((150.0, 200.0 * k + 150), (400.0, 200.0 * k + 200)), 26.0, (40.0, -10.0 * k))
        for k in range(num)
    )
    return rasterize(Edits(SIZE, strokes), GRID)


def test_a_further_stroke_is_ten_times_faster_than_solving_anew(
    A: np.ndarray, samples: np.ndarray
) -> None:
    print(f"\nG-CRF on the CPU, P = {P}, {len(samples)} samples")
    weights = Weights()
    solver = DenseSolver(A, Kernel(), weights)
    say("smooth (S made anew)", seconds(lambda: solver.smooth(samples), 3))
    start = time.perf_counter()
    solver.factor()
    prepared = time.perf_counter() - start
    say("factor: S, Q0, Cholesky, inverse (once)", prepared)
    first, second = drawn(1), drawn(3)
    again = seconds(lambda: solver.correct(samples, second), 9)
    say(f"first stroke ({len(first)} cells)", seconds(lambda: solver.correct(samples, first), 9))
    say(f"a further stroke ({len(second)} cells in all)", again)
    brush = rasterize(
        Edits(SIZE, (Stroke(((200.0, 300.0), (700.0, 500.0)), 150.0, (9.0, 9.0)),)), GRID
    )
    say(f"a big brush ({len(brush)} cells)", seconds(lambda: solver.correct(samples, brush), 3))
    whole = Constraints.of_cells(np.arange(P), np.ones((P, 2), dtype=np.float32), P)
    say(f"all {P} cells", seconds(lambda: solver.correct(samples, whole), 1))
    say("deviation", seconds(solver.deviation))
    say("influence", seconds(lambda: solver.influence(2000)))

    # Anew: S, Q with the edits in it, Cholesky, 12 right-hand sides; targets as a correction.
    moved = Constraints(
        second.rows, second.weights, second.targets - (second.rows @ samples[0]).astype(np.float32)
    )
    nothing = np.zeros((1, P, 2), dtype=np.float32)
    prior = np.full(P, weights.beta_prior, dtype=np.float32)
    anew = seconds(lambda: solver.solve(prior, nothing, moved), 3)
    say("solving anew", anew)
    wanted = samples[:1] + solver.solve(prior, nothing, moved)
    found = solver.correct(samples, second)[:1]
    assert np.abs(found - wanted).max() < 1e-3 * np.ptp(wanted)
    print(f"  solving anew / a further stroke = {anew / again:.0f}")
    assert anew / again >= LEAST_GAIN


def test_smoothing_is_faster_than_factoring(A: np.ndarray, samples: np.ndarray) -> None:
    """The first samples need no factor: conjugate gradients are there first."""
    solver = DenseSolver(A, Kernel(), Weights())
    smooth = seconds(lambda: solver.smooth(samples), 3)
    direct = seconds(lambda: solver.solve(np.full(P, 5.0), samples), 1)
    print(f"\n  direct solve / conjugate gradients for 6 samples = {direct / smooth:.1f}")
    assert direct > smooth


def test_an_open_photo_keeps_one_matrix(A: np.ndarray, samples: np.ndarray) -> None:
    matrix = 4 * P * P
    tracemalloc.start()
    try:
        solver = DenseSolver(A, Kernel(), Weights())
        solver.smooth(samples)
        _, smooth_peak = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        solver.factor()
        _, factor_peak = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        solver.correct(samples, drawn(3))
        kept, edit_peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    print(
        f"\n  MB: kept {kept / 1e6:.0f} (one matrix is {matrix / 1e6:.0f}); at most "
        f"{smooth_peak / 1e6:.0f} smoothing, {factor_peak / 1e6:.0f} factoring, "
        f"{edit_peak / 1e6:.0f} editing"
    )
    assert solver.nbytes == matrix + A.nbytes
    assert kept < 1.05 * matrix
    assert smooth_peak < 1.2 * matrix
    assert factor_peak < 2.2 * matrix
    assert edit_peak < 1.3 * matrix


@pytest.mark.gpu
@pytest.mark.skipif(bool(cuda_unavailable()), reason=f"CUDA backend: {cuda_unavailable()}")
def test_cuda_meets_its_figures(example_photos: Mapping[str, Path], A: np.ndarray) -> None:
    """Q factored and six samples solved in 20 ms; a 256 x 256 field in 300 ms and 1 GB."""
    import torch

    print(f"\nG-CRF on {torch.cuda.get_device_name()}")
    unary = (np.random.default_rng(1).standard_normal((6, P, 2)) * 20).astype(np.float32)

    def run(solver: Solver, fields: np.ndarray) -> None:
        solver.factor()
        solver.smooth(fields)
        torch.cuda.synchronize()

    run(open_solver(A, backend="cuda"), unary)
    dense = seconds(lambda: run(open_solver(A, backend="cuda"), unary))
    say("open, factor, smooth 6 at 64 x 64", dense)
    grid = (256, 256)
    large = embedding(photo_lab(example_photos["boothbay"], grid)[..., 0])
    field = (np.random.default_rng(1).standard_normal((1, 256 * 256, 2)) * 20).astype(np.float32)
    run(open_solver(large, backend="matrix-free"), field)
    torch.cuda.reset_peak_memory_stats()
    free = seconds(lambda: run(open_solver(large, backend="matrix-free"), field))
    peak = torch.cuda.max_memory_allocated()
    say("open, smooth 1 at 256 x 256, matrix-free", free)
    print(f"  device memory at most {peak / 1e6:.0f} MB")
    assert dense < 0.020
    assert free < 0.300
    assert peak < 1e9
