"""What a run is made of: frozen dataclasses filled from a TOML preset.

Every stage reads the same file. An unknown key, a missing table or a wrong type is an error that names the place.
"""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from train.networks import STRIDE, NetworkConfig


class ConfigError(ValueError):
    """A preset that cannot be used; the message names the key."""


@dataclass(frozen=True)
class DataConfig:
    """Which photos, and how they become batches.

    Attributes:
        include: patterns (fnmatch) of member names; a photo is taken when one fits.
        side: short side, in pixels, at which photos are kept in the cache.
        grids: heights and widths of the crops; a batch has one of them.
        validation_share: share of the photos kept for validation, chosen by name.
        limit: most photos taken, 0 for all; the choice is by name, the same each time.
        names: learn to name things from file names (what stands before the last underscore).
        min_colour: photos whose mean chroma is below are left out (ab units).
        min_beyond_tint: photos whose ab is explained by a quadratic in L up to this RMS are left out as toned.
    """

    include: tuple[str, ...] = ("*",)
    side: int = 72
    grids: tuple[tuple[int, int], ...] = ((64, 64), (56, 72), (72, 56))
    validation_share: float = 0.02
    limit: int = 0
    names: bool = False
    min_colour: float = 3.0
    min_beyond_tint: float = 1.0


@dataclass(frozen=True)
class PhaseConfig:
    """What all stages have in common.

    Attributes:
        epochs: passes over the training photos.
        batch_size: photos in a step, over all processes.
        learning_rate: peak of the one-cycle rate of Adam.
        warmup: share of the steps with a rising rate.
        half_until: share of the steps trained on grids of half the sides, which cost a quarter.
    """

    epochs: float = 15.0
    batch_size: int = 32
    learning_rate: float = 1e-3
    warmup: float = 0.05
    half_until: float = 0.0


@dataclass(frozen=True)
class VaeConfig(PhaseConfig):
    """Stage 1 phase 1.

    Attributes:
        kl_weight: weight of the KL term, summed over z, against the mean error in units of 10 ab.
        kl_warmup: share of the steps over which the KL weight rises from 0.
        rarity: lambda of the rarity weights; 1 weighs all colours alike (the paper weighs by rarity).
        gradient_weight: weight of the error of the colour gradients.
        base_share: share of the photos coloured with z = 0, so that the gray path learns a base colouring.
        names_weight: weight of the naming loss when data.names is set.
        min_active: fewer active latent dimensions than this after the KL warm-up stop the run.
    """

    kl_weight: float = 0.002
    kl_warmup: float = 0.3
    rarity: float = 0.5
    gradient_weight: float = 0.5
    base_share: float = 0.15
    names_weight: float = 0.1
    min_active: int = 4


@dataclass(frozen=True)
class HocConfig(PhaseConfig):
    """Stage 1 phase 2.

    Attributes:
        beta: weight of the revealed pixels (the paper: 1 in training).
        prior: weak pull of all pixels to the mean revealed colour, which keeps float32 solvable.
        reveal: share of revealed pixels, spread evenly over the run (the paper's five values).
        points_share: share of the photos that instead show true colours at a few points, as a person would.
        max_points: most points shown on a crop; their number is drawn log-uniformly.
        loss: "log" (log of the squared error, which is PSNR) or "square".
        crop: side of the square crops on which the G-CRF is solved.
    """

    batch_size: int = 8
    beta: float = 1.0
    prior: float = 1e-3
    reveal: tuple[float, ...] = (1.0, 0.75, 0.5, 0.25, 0.1)
    points_share: float = 0.75
    max_points: int = 30
    loss: str = "log"
    crop: int = 32


@dataclass(frozen=True)
class MdnConfig(PhaseConfig):
    """Stage 2.

    Attributes:
        sigma: deviation of every component, fixed.
        posterior: train on draws ("sample") or on means ("mean") of the frozen posterior.
        gray_from_decoder: start from the decoder's gray path.
        colour_weight: weight of the colour error of the nearest component, through the frozen
            decoder, which is then nearest in colour and not in z; 0 is the paper's Eq. 9 alone.
        colour_spread: share of that weight spread over all components, so that none starves.
    """

    sigma: float = 0.5
    posterior: str = "sample"
    gray_from_decoder: bool = True
    colour_weight: float = 0.0
    colour_spread: float = 0.1


@dataclass(frozen=True)
class Config:
    """A whole run."""

    seed: int = 0
    threads: int = 0  # 0: torch's own choice
    bfloat16: str = "auto"  # "auto": only where the processor has matrix units for it
    data: DataConfig = field(default_factory=DataConfig)
    networks: NetworkConfig = field(default_factory=NetworkConfig)
    vae: VaeConfig = field(default_factory=VaeConfig)
    hoc: HocConfig = field(default_factory=HocConfig)
    mdn: MdnConfig = field(default_factory=MdnConfig)


def load_config(path: Path) -> Config:
    """Returns the run that a TOML file describes.

    Raises:
        ConfigError: no such file, bad TOML, an unknown key, a wrong type, or a value out of range.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"expected a TOML preset at {path}, got: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    return config_from_dict(values)


def config_from_dict(values: dict[str, Any]) -> Config:
    """Returns the run that nested dictionaries describe, as a checkpoint or TOML holds them."""
    config: Config = _build(Config, values, "")
    _check(config)
    return config


def config_to_dict(config: Config) -> dict[str, Any]:
    """Returns nested plain dictionaries; `config_from_dict` reads them back."""
    return dataclasses.asdict(config)


def _build(cls: type[Any], values: Any, place: str) -> Any:
    if not isinstance(values, dict):
        raise ConfigError(f"{place or 'preset'}: expected a table, got {type(values).__name__}")
    hints = typing.get_type_hints(cls)
    for key in values:
        if key not in hints:
            raise ConfigError(
                f"{place}{key}: unknown key; expected one of {', '.join(sorted(hints))}"
            )
    return cls(
        **{key: _convert(hints[key], value, f"{place}{key}") for key, value in values.items()}
    )


def _convert(hint: Any, value: Any, place: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return _build(typing.cast(type[Any], hint), value, f"{place}.")
    if isinstance(hint, types.GenericAlias):
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{place}: expected a list, got {value!r}")
        inner = typing.get_args(hint)
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
        if len(kinds) != len(value):
            raise ConfigError(f"{place}: expected {len(kinds)} values, got {len(value)}")
        pairs = enumerate(zip(kinds, value, strict=True))
        return tuple(_convert(kind, item, f"{place}[{i}]") for i, (kind, item) in pairs)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not hint:
        raise ConfigError(f"{place}: expected {hint.__name__}, got {value!r}")
    return value


def _check(config: Config) -> None:
    for height, width in config.data.grids:
        if height % STRIDE or width % STRIDE or not 0 < max(height, width) <= 512:
            raise ConfigError(
                f"data.grids: expected sides that are multiples of {STRIDE}, got {height} x {width}"
            )
        if max(height, width) > config.data.side:
            raise ConfigError(
                f"data.side: expected at least {max(height, width)} for data.grids, got {config.data.side}"
            )
    if config.hoc.crop % STRIDE or config.hoc.crop > config.data.side:
        raise ConfigError(
            f"hoc.crop: expected a multiple of {STRIDE} up to data.side, got {config.hoc.crop}"
        )
    choices = {
        "bfloat16": (config.bfloat16, ("auto", "on", "off")),
        "networks.kernel": (config.networks.kernel, ("distance", "inner")),
        "hoc.loss": (config.hoc.loss, ("log", "square")),
        "mdn.posterior": (config.mdn.posterior, ("sample", "mean")),
    }
    for place, (value, allowed) in choices.items():
        if value not in allowed:
            raise ConfigError(f"{place}: expected one of {', '.join(allowed)}, got {value!r}")
    for name in ("vae", "hoc", "mdn"):
        phase: PhaseConfig = getattr(config, name)
        if phase.epochs <= 0 or phase.batch_size < 1 or phase.learning_rate <= 0:
            raise ConfigError(f"{name}: expected epochs, batch_size and learning_rate above 0")
        if not 0 <= phase.half_until <= 1:
            raise ConfigError(
                f"{name}.half_until: expected a share from 0 to 1, got {phase.half_until}"
            )
