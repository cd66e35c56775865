"""The app on a tiny real model, its client, and ways to send a photo."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from webapp import create_app

MakeApp = Callable[..., Flask]


@pytest.fixture(scope="session")
def models_root(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny model alone, on a grid of a quarter of the area, which is quicker."""
    root = tmp_path_factory.mktemp("webapp-models")
    folder = Path(shutil.copytree(tiny_model, root / tiny_model.name))
    info = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**info, "grid_area": 1024}))
    return root


@pytest.fixture
def make_app(models_root: Path, tmp_path: Path) -> MakeApp:
    """Makes the app with an instance folder of its own; keywords are settings."""

    def make(**config: object) -> Flask:
        defaults = {
            "TESTING": True,
            "INSTANCE": tmp_path / "instance",
            "MODELS": models_root,
            "PROVIDER": "cpu",
            "SOLVER": "cpu",
        }
        return create_app({**defaults, **config})

    return make


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def small_photo(example_photos: Mapping[str, Path]) -> bytes:
    """A shipped photo, 240 pixels wide, as grey JPEG."""
    with Image.open(example_photos["mechanic"]) as image:
        grey = image.convert("L")
    grey.thumbnail((240, 240))
    stream = io.BytesIO()
    grey.save(stream, "JPEG", quality=90)
    return stream.getvalue()


@pytest.fixture
def send(client: FlaskClient, small_photo: bytes) -> Callable[..., Any]:
    """Sends a photo and gives the parsed answer."""

    def post(data: bytes = small_photo, name: str = "old mill.jpg") -> Any:
        answer = client.post("/api/v1/photos", data={"photo": (io.BytesIO(data), name)})
        assert answer.status_code == 201, answer.text
        return answer.get_json()

    return post
