"""The studio page and what watches over it."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from typing import cast

from flask import Blueprint, Response, current_app, jsonify, render_template
from flask.typing import ResponseReturnValue

from webapp.forms import SIDES
from webapp.settings import ROOT
from webapp.workbench import Workbench

studio = Blueprint("studio", __name__)


@studio.get("/")
def page() -> ResponseReturnValue:
    """The page on which photos are coloured."""
    lifetime = current_app.config["PHOTO_LIFETIME"]
    page_text = render_template(
        "studio.html", lifetime=_in_words(lifetime), sides=SIDES, words=_words()
    )
    answer = Response(page_text)
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@studio.get("/healthz")
def health() -> ResponseReturnValue:
    """What this worker runs on; 503 when it cannot colour."""
    bench = cast(Workbench, current_app.extensions["huefield_bench"])
    state = bench.health()
    answer = jsonify(status="failing" if state.problem else "ok", **asdict(state))
    answer.status_code = 503 if state.problem else 200
    answer.headers["Cache-Control"] = "no-store"
    return answer


@cache
def _words() -> dict[str, object]:
    """The page's sentences, from the one file that a translation replaces."""
    text = (ROOT / "static" / "words" / "en.json").read_text(encoding="utf-8")
    return cast(dict[str, object], json.loads(text))


def _in_words(seconds: int) -> str:
    if seconds >= 5400:
        return f"{round(seconds / 3600)} hours"
    if seconds >= 3000:
        return "an hour"
    return f"{max(1, round(seconds / 60))} minutes"
