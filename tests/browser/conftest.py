"""A real server on a tiny real model, and Debian's Chromium driving its page."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import make_server

from webapp import create_app

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"desk": (1440, 900), "phone": (390, 844)}


@pytest.fixture(scope="session")
def address(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the app is served, under a path prefix, for the whole session."""
    models = model_copies(tiny_model, tmp_path_factory.mktemp("browser-models"))
    with serving(models, tmp_path_factory.mktemp("browser-instance")) as served:
        yield served


@contextmanager
def serving(models: Path, instance: Path) -> Iterator[str]:
    """Where the app is served with a folder of models, under a path prefix."""
    app = create_app(
        {
            "INSTANCE": instance,
            "MODELS": models,
            "PROVIDER": "cpu",
            "SOLVER": "cpu",
            "APPLICATION_ROOT": "/colour",
        }
    )
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/colour/"
    server.shutdown()
    thread.join()
    server.server_close()


def model_copies(tiny_model: Path, models: Path) -> Path:
    """The tiny model on a small grid, and beside it one that pulls less to its unary."""
    for name, beta in ((tiny_model.name, None), ("weaker", 0.5)):
        folder = Path(shutil.copytree(tiny_model, models / name))
        info = json.loads((folder / "model.json").read_text())
        gcrf = info["gcrf"] if beta is None else {**info["gcrf"], "beta": beta}
        changed = {**info, "grid_area": 1024, "gcrf": gcrf}
        (folder / "model.json").write_text(
            json.dumps(changed if beta is None else {**changed, "name": name})
        )
    return models


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def layout(request: pytest.FixtureRequest) -> str:
    """The size that a page test runs at: a desk's, unless it is parametrised with others."""
    return str(getattr(request, "param", "desk"))


@pytest.fixture
def context(browser: Browser, layout: str) -> Iterator[BrowserContext]:
    width, height = SIZES[layout]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        has_touch=layout == "phone",
        accept_downloads=True,
        reduced_motion="reduce",
    )
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.fixture
def expected_complaints() -> tuple[str, ...]:
    """What the console may say: failures that tests bring about."""
    return ("ERR_FAILED", "ERR_INTERNET_DISCONNECTED", "404 (NOT FOUND)", "422 (UNPROCESSABLE")


@pytest.fixture
def page(
    context: BrowserContext, address: str, expected_complaints: tuple[str, ...]
) -> Iterator[Page]:
    """The studio page; anything it says on the console fails the test."""
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.add_init_script("if (origin !== 'null') localStorage.setItem('huefield.tour', '1')")
    page.goto(address)
    yield page
    assert [t for t in complaints if not any(word in t for word in expected_complaints)] == []
