"""The page for people who do not see or point: axe-core finds nothing serious."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.studio_page import choose_color, open_example, paint, show_tray, wait_for_samples

pytestmark = pytest.mark.browser
AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
BOTH = pytest.mark.parametrize("layout", ["desk", "phone"], indirect=True)


def faults(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8") + "\n; undefined")
    found = page.evaluate("axe.run().then((result) => result.violations)")
    return [
        f"{entry['id']}: {entry['nodes'][0]['html'][:120]}"
        for entry in found
        if entry["impact"] in ("serious", "critical")
    ]


@BOTH
def test_axe_finds_nothing_serious(page: Page) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci")
    assert faults(page) == []
    open_example(page)
    choose_color(page, "Red")
    paint(page, (0.4, 0.5), (0.6, 0.5))
    wait_for_samples(page)
    for tray in ("color", "edits", "finish"):
        show_tray(page, tray)
        assert faults(page) == []
