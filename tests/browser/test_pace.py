"""The page's weight, uncompressed; a KB is 1000 bytes."""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "static"


def test_the_page_weighs_little() -> None:
    files = [*STATIC.glob("js/**/*.js"), *STATIC.glob("css/*.css"), *STATIC.glob("vendor/**/*.js")]
    others = ("study", "admin")  # pages of their own, which load none of the rest
    own = [f for f in files if not any(word in str(f.relative_to(STATIC)) for word in others)]
    assert sum(path.stat().st_size for path in own) <= 250_000
