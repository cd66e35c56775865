"""Rows of a large photo worked on band by band, several bands at a time.

NumPy runs one thread and writes a full-size array for every intermediate result. A band of a few
ten thousand pixels keeps those results in the processor's cache, and its loops release the
interpreter lock, so bands run side by side. Called by `lab`, `photo` and `upsample`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

BAND_PIXELS = 32_768
MAX_THREADS = 8


def num_threads() -> int:
    """Number of processors that this process may use, at most `MAX_THREADS`."""
    if hasattr(os, "sched_getaffinity"):
        return min(MAX_THREADS, len(os.sched_getaffinity(0)))
    return min(MAX_THREADS, os.cpu_count() or 1)


def for_each_band(
    num_rows: int, row_pixels: int, work: Callable[[int, int], None], pixels: int = BAND_PIXELS
) -> None:
    """Calls `work(first, last)` for ranges of rows that together cover `0 .. num_rows`.

    Args:
        num_rows: number of rows in all.
        row_pixels: pixels in a row, to choose how many rows make a band.
        work: called once per band, from several threads at once; bands do not overlap.
        pixels: about how many pixels a band shall have; a row is never divided.
    """
    rows = max(1, pixels // max(1, row_pixels))
    starts = range(0, num_rows, rows)
    threads = min(num_threads(), len(starts))
    if threads <= 1:
        for first in starts:
            work(first, min(first + rows, num_rows))
        return
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, first, min(first + rows, num_rows)) for first in starts]:
            done.result()
