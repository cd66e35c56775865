from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from webapp.settings import SETTINGS, SettingError, load_settings, stored_secret_key


def test_defaults_then_environment_then_argument() -> None:
    assert load_settings(None, {})["PHOTO_LIFETIME"] == 3600
    environ = {"HUEFIELD_PHOTO_LIFETIME": "60", "HUEFIELD_MODELS": "/m"}
    assert load_settings(None, environ)["PHOTO_LIFETIME"] == 60
    assert load_settings(None, environ)["MODELS"] == Path("/m")
    assert load_settings({"PHOTO_LIFETIME": 5}, environ)["PHOTO_LIFETIME"] == 5


@pytest.mark.parametrize(("text", "value"), [("1", True), ("true", True), ("0", False)])
def test_a_flag_is_read_from_the_environment(text: str, value: bool) -> None:
    assert load_settings(None, {"HUEFIELD_REQUIRE_GPU": text})["REQUIRE_GPU"] is value


@pytest.mark.parametrize(
    ("config", "environ", "name"),
    [
        ({"PHOTO_LIFETIMES": 1}, {}, "PHOTO_LIFETIMES"),
        ({"PHOTO_LIFETIME": "1"}, {}, "PHOTO_LIFETIME"),
        ({"PHOTO_LIFETIME": True}, {}, "PHOTO_LIFETIME"),
        ({"PHOTO_LIFETIME": 0}, {}, "PHOTO_LIFETIME"),
        ({"MODELS": 5}, {}, "MODELS"),
        ({}, {"HUEFIELD_PHOTO_LIFETIME": "soon"}, "HUEFIELD_PHOTO_LIFETIME"),
        ({}, {"HUEFIELD_PHOTO_LIFETIME": "-3"}, "HUEFIELD_PHOTO_LIFETIME"),
        ({}, {"HUEFIELD_REQUIRE_GPU": "maybe"}, "HUEFIELD_REQUIRE_GPU"),
    ],
)
def test_a_faulty_setting_is_an_error_that_names_it(
    config: dict[str, object], environ: dict[str, str], name: str
) -> None:
    with pytest.raises(SettingError, match=name):
        load_settings(config, environ)


def test_flask_settings_pass_through() -> None:
    assert load_settings({"TESTING": True}, {})["TESTING"] is True


def test_every_setting_says_what_it_means() -> None:
    assert all(len(setting.meaning) > 10 for setting in SETTINGS.values())


def test_the_secret_key_is_made_once_and_only_readable_by_its_owner(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(stored_secret_key, [tmp_path] * 32))
    assert len(keys) == 1
    assert len(keys.pop()) >= 48
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_an_empty_secret_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("\n")
    with pytest.raises(SettingError, match="empty"):
        stored_secret_key(tmp_path)
