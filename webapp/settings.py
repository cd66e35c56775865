"""Settings of the web app, read by ``create_app``.

Defaults come first, then ``HUEFIELD_*`` variables, then what the caller passes. Values are checked
here and nowhere else: an unknown name or a wrong type is an error that names it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

ROOT = Path(__file__).resolve().parents[1]
_FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}


class SettingError(ValueError):
    """A setting that does not exist or cannot be read."""


@dataclass(frozen=True)
class Setting:
    """One setting: its default (whose type is the setting's type) and what it means."""

    default: str | int | bool | Path
    meaning: str
    minimum: int = 0


SETTINGS: dict[str, Setting] = {
    "SECRET_KEY": Setting("", "signs the session cookie; empty: made once, kept in the instance"),
    "INSTANCE": Setting(ROOT / "instance", "folder that holds the secret key and the open photos"),
    "MODELS": Setting(ROOT / "models", "folder of model folders"),
    "EXAMPLES": Setting(ROOT / "static" / "examples", "folder with examples.json and its photos"),
    "DEFAULT_MODEL": Setting("photos", "model used when a request names none"),
    "PROVIDER": Setting("auto", "onnxruntime provider: auto, cpu or cuda"),
    "SOLVER": Setting("auto", "G-CRF backend: auto, cpu, cuda or matrix-free"),
    "REQUIRE_GPU": Setting(False, "refuse to colour without a GPU"),
    "PHOTO_LIFETIME": Setting(3600, "seconds after its last use until a photo is deleted", 1),
    "PHOTO_MAX_BYTES": Setting(30_000_000, "largest photo file in bytes", 1),
    "PHOTO_MAX_PIXELS": Setting(40_000_000, "largest photo in pixels", 1),
    "PHOTOS_PER_SESSION": Setting(20, "photos one session may hold; the oldest gives way", 1),
    "COLORIZATIONS_PER_PHOTO": Setting(200, "colourings kept for one photo", 1),
    "STORE_BYTES": Setting(4_000_000_000, "bytes of photos held on disk before new ones wait", 1),
    "CACHE_BYTES": Setting(500_000_000, "memory one worker spends on opened photos", 1),
    "TRUSTED_PROXIES": Setting(0, "proxies whose X-Forwarded-* headers are believed"),
    "APPLICATION_ROOT": Setting("/", "path prefix the app is served under"),
    "DATABASE_URL": Setting("", "database of studies; empty: SQLite in the instance folder"),
    "STUDY_JOINS": Setting(100, "people who may join studies from one address in 10 minutes", 1),
    "STUDY_UPLOAD_BYTES": Setting(500_000_000, "largest study sent to the admin page, in bytes", 1),
    "ADMIN_SESSION": Setting(3600, "seconds without use until an admin has to log in again", 60),
    "SESSION_COOKIE_SECURE": Setting(False, "send the session cookie over HTTPS only"),
}


def load_settings(
    argument: Mapping[str, object] | None, environ: Mapping[str, str] | None = None
) -> dict[str, object]:
    """Every setting by name, plus Flask's own ones that ``argument`` carries.

    Raises:
        SettingError: an unknown name in ``argument``, or a value of the wrong type or range.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, object] = {name: setting.default for name, setting in SETTINGS.items()}
    for name, setting in SETTINGS.items():
        text = environ.get(f"HUEFIELD_{name}")
        if text is not None:
            values[name] = _from_text(f"HUEFIELD_{name}", text, setting)
    for name, value in (argument or {}).items():
        if name in SETTINGS:
            values[name] = _checked(name, value, SETTINGS[name])
        elif name in Flask.default_config:
            values[name] = value
        else:
            raise SettingError(f"unknown setting {name}")
    return values


def stored_secret_key(instance: Path) -> str:
    """The key kept in ``instance/secret_key`` (mode 0600), made by whoever comes first."""
    instance.mkdir(parents=True, exist_ok=True)
    path = instance / "secret_key"
    fresh = instance / f".secret_key-{secrets.token_hex(8)}"
    if not path.exists():
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(48))
        try:
            # A hard link appears whole and only once, so that workers starting together agree.
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    key = path.read_text().strip()
    if not key:
        raise SettingError(f"{path} is empty: delete it and start again")
    return key


def _from_text(name: str, text: str, setting: Setting) -> object:
    if isinstance(setting.default, bool):
        if text.strip().lower() not in _FLAGS:
            raise SettingError(f"{name}: expected 1 or 0, got {text!r}")
        return _FLAGS[text.strip().lower()]
    if isinstance(setting.default, int):
        try:
            return _checked(name, int(text), setting)
        except ValueError:
            raise SettingError(f"{name}: expected a whole number, got {text!r}") from None
    return Path(text) if isinstance(setting.default, Path) else text


def _checked(name: str, value: object, setting: Setting) -> object:
    kind = type(setting.default)
    if isinstance(setting.default, Path):
        if not isinstance(value, str | Path):
            raise SettingError(f"{name}: expected a path, got {value!r}")
        return Path(value)
    if type(value) is not kind:
        raise SettingError(f"{name}: expected {kind.__name__}, got {value!r}")
    if isinstance(value, int) and value < setting.minimum:
        raise SettingError(f"{name}: expected at least {setting.minimum}, got {value}")
    return value
