"""All sentences of the page stand in one file, and each is used."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORDS = json.loads((ROOT / "static" / "words" / "en.json").read_text(encoding="utf-8"))


def test_page_and_words_agree() -> None:
    template = (ROOT / "webapp" / "templates" / "studio.html").read_text(encoding="utf-8")
    scripts = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "static" / "js").rglob("*.js")
    )
    used = set(re.findall(r"words\.(\w+)", template)) | set(re.findall(r"WORDS\.(\w+)", scripts))
    # Looked up by a name that is made: the tabs, each kind of method, and each insight's sentence.
    used |= {"color", "edits", "finish", "keys", "method_samples", "method_strokes"}
    used |= {"influence_text", "uncertainty_text", "unary_text"}
    assert used - {"keys", *WORDS} == set()
    assert set(WORDS) - used == set()
