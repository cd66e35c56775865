"""Which latent code a sample comes from, said by a few whole numbers, the same tomorrow.

Called by `colorizer`, and by the web app to read what a page asks for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

Near = tuple[tuple[int, int], ...]

_CHUNK = 6


@dataclass(frozen=True)
class Pick:
    """Sample `index` of the set of `seed`.

    Attributes:
        seed: of the set.
        index: place in the set.
        near: a way of (seed, index) steps: each names a sample near the one before, and the set
            is drawn near the last; empty for a set drawn from the whole mixture.
        wide: the set, or the one that the way begins at, holds colourings unlike the usual ones,
            see `huefield.candidates`.
    """

    seed: int
    index: int
    near: Near = ()
    wide: bool = False


def chunk_of(pick: Pick) -> tuple[Pick, int]:
    """The first of the picks that are computed together with one, and the index after the last.

    The first sample stands alone, so that there is something to see soon.
    """
    start = 0 if pick.index == 0 else max(1, pick.index // _CHUNK * _CHUNK)
    stop = 1 if start == 0 else (start // _CHUNK + 1) * _CHUNK
    return replace(pick, index=start), stop
