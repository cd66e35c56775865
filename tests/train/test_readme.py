"""The README's tables are those of the committed results."""

from __future__ import annotations

import json
from pathlib import Path

from train.reproduction import readme


def test_readme_holds_what_the_results_say() -> None:
    text = readme.README.read_text(encoding="utf-8")
    for name, (part, _) in readme.SECTIONS.items():
        assert f"<!-- {name} -->\n" in text
        assert (readme.RESULTS / f"{part}.json").exists()
    assert readme.filled(text, readme.RESULTS) == text, "run readme.fill or train.reproduce"


def test_a_changed_figure_is_noticed(tmp_path: Path) -> None:
    for path in readme.RESULTS.glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    text = readme.README.read_text(encoding="utf-8")
    changed = json.loads((tmp_path / "table2.json").read_text(encoding="utf-8"))
    row = next(iter(changed["sets"].values()))["rows"]["VAE-MDN"]
    row["figures"]["8"]["variance"] *= 2.0
    (tmp_path / "table2.json").write_text(json.dumps(changed), encoding="utf-8")
    assert readme.filled(text, tmp_path) != text


def test_pages_name_the_budget_of_their_figures() -> None:
    index = (readme.RESULTS / "README.md").read_text(encoding="utf-8")
    parts = sorted(readme.RESULTS.glob("*.json"))
    assert {"table2", "table3"} <= {path.stem for path in parts}
    for path in parts:
        part = json.loads(path.read_text(encoding="utf-8"))
        line = f"| [{path.stem}]({path.stem}.md) | {part['preset']} | {part['minutes']:g} | "
        assert line in index
        assert path.with_suffix(".md").exists()
