"""The page's weight, which is counted in bytes and not in seconds."""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "static"


def test_the_page_weighs_little() -> None:
    files = [*STATIC.glob("js/**/*.js"), *STATIC.glob("css/*.css"), *STATIC.glob("vendor/**/*.js")]
    assert sum(path.stat().st_size for path in files) <= 250_000
