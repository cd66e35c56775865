"""The web app: ``create_app`` makes it; ``huefield serve`` and tests call that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from huefield.colorizer import Backend
from huefield.networks import Provider
from webapp.comparison_api import api
from webapp.comparisons import Comparisons
from webapp.examples import Examples
from webapp.guard import PathPrefix, install_guard
from webapp.methods import Methods
from webapp.problems import install_problems
from webapp.settings import ROOT, load_settings, stored_secret_key
from webapp.storage import PhotoStore
from webapp.studio import studio
from webapp.study.installing import install_studies
from webapp.workbench import Workbench

__all__ = ["create_app"]

_FORM_OVERHEAD = 100_000


def create_app(config: Mapping[str, object] | None = None) -> Flask:
    """The app with its settings: defaults, then ``HUEFIELD_*``, then ``config``.

    Raises:
        SettingError: a setting is unknown or of the wrong type.
        ModelError: a model folder is broken.
        DatabaseError: the database of studies cannot be opened.
    """
    settings = load_settings(config)
    instance = cast(Path, settings["INSTANCE"]).resolve()
    app = Flask(
        "webapp",
        root_path=str(ROOT / "webapp"),
        instance_path=str(instance),
        static_folder=str(ROOT / "static"),
        static_url_path="/static",
    )
    app.config.from_mapping(
        SESSION_COOKIE_NAME="huefield",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        MAX_CONTENT_LENGTH=cast(int, settings["PHOTO_MAX_BYTES"]) + _FORM_OVERHEAD,
    )
    app.config.from_mapping(settings)
    app.config["SECRET_KEY"] = app.config["SECRET_KEY"] or stored_secret_key(instance)

    store = PhotoStore(
        instance / "photos",
        lifetime=app.config["PHOTO_LIFETIME"],
        photos_per_session=app.config["PHOTOS_PER_SESSION"],
        colorizations_per_photo=app.config["COLORIZATIONS_PER_PHOTO"],
        max_bytes=app.config["STORE_BYTES"],
    )
    store.sweep(force=True)
    app.extensions["huefield_store"] = store
    app.extensions["huefield_examples"] = Examples(app.config["EXAMPLES"])
    bench = Workbench(
        store,
        models=app.config["MODELS"],
        default_model=app.config["DEFAULT_MODEL"],
        provider=cast(Provider, app.config["PROVIDER"]),
        solver=cast(Backend, app.config["SOLVER"]),
        require_gpu=app.config["REQUIRE_GPU"],
        cache_bytes=app.config["CACHE_BYTES"],
        max_pixels=app.config["PHOTO_MAX_PIXELS"],
        max_bytes=app.config["PHOTO_MAX_BYTES"],
    )
    app.extensions["huefield_bench"] = bench
    methods = Methods(app.config["MODELS"])
    app.extensions["huefield_comparisons"] = Comparisons(store, bench, methods)
    app.register_blueprint(studio)
    app.register_blueprint(api)
    install_studies(app)
    install_problems(app)
    install_guard(app)
    _install_wsgi_layers(app)
    return app


def _install_wsgi_layers(app: Flask) -> None:
    """Serve under a path prefix, and believe as many proxies as the settings say."""
    prefix = app.config["APPLICATION_ROOT"]
    hops = app.config["TRUSTED_PROXIES"]
    if prefix.strip("/"):
        app.wsgi_app = PathPrefix(app.wsgi_app, prefix)  # type: ignore[method-assign]
    if hops:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops
        )
