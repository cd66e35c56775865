"""Progress bars that suit a terminal and do not flood a log file. Called by `data` and `loop`."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm


def progress_bar(
    total: int, description: str, unit: str, *, initial: int = 0, hidden: bool = False
) -> Any:
    """Returns a tqdm bar with rate and time left, renewed every 10 s where stderr is no terminal.

    Args:
        total: units of work in all.
        description: what is worked on.
        unit: the name of one unit.
        initial: units done before.
        hidden: show nothing, as all processes but the first do.
    """
    seconds = 1.0 if sys.stderr.isatty() else 10.0
    return tqdm(
        total=total,
        initial=initial,
        desc=description,
        unit=unit,
        disable=hidden,
        mininterval=seconds,
        maxinterval=3.0 * seconds,
        leave=False,
    )
