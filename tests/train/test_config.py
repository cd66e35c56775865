from __future__ import annotations

from pathlib import Path

import pytest

import train.config
from train.config import Config, ConfigError, config_from_dict, config_to_dict, load_config

PRESETS = sorted((Path(train.config.__file__).parent / "configs").glob("*.toml"))


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_presets_load_and_survive_a_checkpoint(path: Path) -> None:
    config = load_config(path)
    assert config_from_dict(config_to_dict(config)) == config
    assert config != Config()


def test_shipped_presets_are_there() -> None:
    assert {"smoke", "photos", "faces", "buildings"} <= {path.stem for path in PRESETS}


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"speed": 1}, "speed: unknown key"),
        ({"vae": {"epoch": 1.0}}, "vae.epoch: unknown key"),
        ({"data": {"grid": [[64, 64]]}}, "data.grid: unknown key"),
        ({"vae": 3}, "vae.: expected a table"),
        ({"seed": 1.5}, "seed: expected int"),
        ({"seed": True}, "seed: expected int"),
        ({"data": {"names": 1}}, "data.names: expected bool"),
        ({"vae": {"epochs": "many"}}, "vae.epochs: expected float"),
        ({"vae": {"epochs": True}}, "vae.epochs: expected float"),
        ({"vae": {"epochs": float("nan")}}, "vae.epochs: expected a finite number"),
        ({"data": {"include": "train/*"}}, "data.include: expected a list"),
        ({"data": {"include": ["a", 3]}}, "data.include[1]: expected str"),
        ({"data": {"grids": [[64, 64], [64]]}}, "data.grids[1]: expected 2 values"),
        ({"data": {"grids": [[64, 64.0]]}}, "data.grids[0][1]: expected int"),
    ],
)
def test_unknown_keys_and_wrong_types_are_named(values: dict[str, object], place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config_from_dict(values)
    assert str(caught.value).startswith(place)


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("data", "grids", [[64, 60]]),
        ("data", "grids", [[0, 64]]),
        ("data", "grids", []),
        ("data", "include", []),
        ("data", "side", 56),
        ("data", "validation_share", 1.0),
        ("data", "limit", -1),
        ("data", "plates_share", 1.1),
        ("vae", "epochs", 0),
        ("vae", "half_until", 1.5),
        ("hoc", "batch_size", 0),
        ("hoc", "crop", 36),
        ("hoc", "loss", "huber"),
        ("hoc", "prior", 0.0),
        ("hoc", "reveal", []),
        ("mdn", "learning_rate", -1.0),
        ("mdn", "posterior", "mode"),
        ("mdn", "sigma", 0.0),
        ("joint", "beyond_tint_weight", -1.0),
        ("networks", "widths", [16, 16]),
        ("networks", "widths", [16, 16, 16, 40 + 1]),
        ("networks", "kernel", "cosine"),
        ("networks", "embedding_size", 3),
        ("networks", "num_components", 0),
    ],
)
def test_values_that_cannot_work_are_named(table: str, key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=rf"{table}\.{key}.*expected"):
        config_from_dict({table: {key: value}})


@pytest.mark.parametrize(
    ("values", "place"), [({"seed": -1}, "seed"), ({"bfloat16": "yes"}, "bfloat16")]
)
def test_values_of_the_run_are_named(values: dict[str, object], place: str) -> None:
    with pytest.raises(ConfigError, match=f"^{place}: expected"):
        config_from_dict(values)


def test_whole_numbers_serve_as_fractions() -> None:
    assert config_from_dict({"vae": {"epochs": 3}}).vae.epochs == 3.0


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml"):
        load_config(tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("[vae\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"broken\.toml is not TOML"):
        load_config(broken)
    broken.write_bytes(b"a = '\xff'")
    with pytest.raises(ConfigError, match=r"broken\.toml is not TOML"):
        load_config(broken)
