"""What a run is made of: frozen dataclasses filled from a TOML preset.

Every stage reads the same file. An unknown key, a wrong type or a value that cannot work is an
error that names the place.
"""

from __future__ import annotations

import dataclasses
import math
import tomllib
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from train.backbone import NUM_BLOCKS
from train.baselines import settings
from train.layers import GROUP
from train.networks import STRIDE, NetworkConfig
from train.phases import ConfigError, PhaseConfig, check_schedule, expect

__all__ = [
    "POINTS_SIDE",
    "Config",
    "ConfigError",
    "DataConfig",
    "HintsConfig",
    "HocConfig",
    "JointConfig",
    "MdnConfig",
    "PhaseConfig",
    "VaeConfig",
    "config_from_dict",
    "config_to_dict",
    "load_config",
]

POINTS_SIDE = 64  # of the squares on which the hoc stage measures revealed points


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
        plates_share: share of the training photos whose gray is what a plate of a hundred years ago
            would have shown; the paper's is 0.
        min_colour: photos whose mean chroma is below are left out (ab units).
        min_beyond_tint: photos whose ab is explained by a quadratic in L up to this RMS are left
            out as toned.
    """

    include: tuple[str, ...] = ("*",)
    side: int = 72
    grids: tuple[tuple[int, int], ...] = ((64, 64), (56, 72), (72, 56))
    validation_share: float = 0.02
    limit: int = 0
    names: bool = False
    plates_share: float = 0.0
    min_colour: float = 3.0
    min_beyond_tint: float = 1.0


@dataclass(frozen=True)
class VaeConfig(PhaseConfig):
    """Stage 1 phase 1.

    Attributes:
        kl_weight: weight of the KL term, summed over z, against the mean error in units of 10 ab.
        kl_warmup: share of the steps over which the KL weight rises from 0.
        rarity: lambda of the rarity weights; 1 weighs all colours alike (the paper weighs by
            rarity).
        gradient_weight: weight of the error of the colour gradients.
        base_share: share of the photos coloured with z = 0, so that the gray path learns a base
            colouring.
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
        points_share: share of the photos that instead show true colours at a few points, as a
            person would.
        max_points: most points shown on a crop; their number is drawn log-uniformly.
        loss: "log" (log of the squared error, which is PSNR) or "square".
        crop: side of the square crops on which the G-CRF is solved.
        train_top: go on training the decoder's two top layers, as the paper does. Without rarity
            weights in this phase they grow paler, so the shipped presets leave them.
    """

    batch_size: int = 8
    beta: float = 1.0
    prior: float = 1e-3
    reveal: tuple[float, ...] = (1.0, 0.75, 0.5, 0.25, 0.1)
    points_share: float = 0.75
    max_points: int = 30
    loss: str = "log"
    crop: int = 32
    train_top: bool = True


@dataclass(frozen=True)
class MdnConfig(PhaseConfig):
    """Stage 2.

    Attributes:
        sigma: deviation of every component, fixed.
        posterior: train on draws ("sample") or on means ("mean") of the frozen posterior.
        gray_from_decoder: start from the decoder's gray path.
    """

    sigma: float = 0.5
    posterior: str = "sample"
    gray_from_decoder: bool = True


@dataclass(frozen=True)
class JointConfig(PhaseConfig):
    """Decoder and mixture together, which the paper does not do.

    Attributes:
        rarity: as in stage 1; by default all colours weigh alike, since weights for rare ones cost
            more error than the next term for the same colour.
        gradient_weight: as in stage 1.
        beyond_tint_weight: weight of the difference in colour beyond a tint, in units of 10 ab.
        likelihood_weight: weight of -log pi of the best component.
    """

    epochs: float = 1.0
    batch_size: int = 16
    learning_rate: float = 4e-4
    frozen_blocks: int = NUM_BLOCKS
    rarity: float = 1.0
    gradient_weight: float = 0.5
    beyond_tint_weight: float = 1.0
    likelihood_weight: float = 0.1


@dataclass(frozen=True)
class HintsConfig(PhaseConfig):
    """The hints network, which the paper does not have.

    Attributes:
        none_share: share of the photos without any hint.
        stroke_share: share of the photos with a few strokes in place of points.
        max_points: most points shown; their number is drawn log-uniformly.
    """

    frozen_blocks: int = NUM_BLOCKS
    none_share: float = 0.08
    stroke_share: float = 0.25
    max_points: int = 130


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
    joint: JointConfig = field(default_factory=JointConfig)
    hints: HintsConfig = field(default_factory=HintsConfig)
    zhang: settings.ZhangConfig = field(default_factory=settings.ZhangConfig)
    cgan: settings.CganConfig = field(default_factory=settings.CganConfig)
    mln_gan: settings.MlnGanConfig = field(default_factory=settings.MlnGanConfig)
    bicycle_gan: settings.BicycleGanConfig = field(default_factory=settings.BicycleGanConfig)
    vae_mdn: settings.VaeMdnConfig = field(default_factory=settings.VaeMdnConfig)
    vae_mdn_prior: settings.VaeMdnPriorConfig = field(default_factory=settings.VaeMdnPriorConfig)
    pic: settings.PicConfig = field(default_factory=settings.PicConfig)


def load_config(path: Path) -> Config:
    """Returns the run that a TOML file describes.

    Raises:
        ConfigError: no such file, bad TOML, an unknown key, a wrong type, or a value out of range.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"expected a TOML preset at {path}, got: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
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
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise ConfigError(f"{place}: expected {hint.__name__}, got {value!r}")
    if hint is float and not math.isfinite(value):
        raise ConfigError(f"{place}: expected a finite number, got {value!r}")
    return value


def _check(config: Config) -> None:
    _check_data(config)
    _check_networks(config.networks)
    choices = {
        "bfloat16": (config.bfloat16, ("auto", "on", "off")),
        "networks.kernel": (config.networks.kernel, ("distance", "inner")),
        "networks.backbone": (config.networks.backbone, ("", "efficientnet-lite0")),
        "hoc.loss": (config.hoc.loss, ("log", "square")),
        "mdn.posterior": (config.mdn.posterior, ("sample", "mean")),
    }
    for place, (value, allowed) in choices.items():
        if value not in allowed:
            raise ConfigError(f"{place}: expected one of {', '.join(allowed)}, got {value!r}")
    for name in ("vae", "hoc", "mdn", "joint", "hints", "zhang"):
        phase: PhaseConfig = getattr(config, name)
        frozen = phase.frozen_blocks
        expect(0 <= frozen <= NUM_BLOCKS, f"{name}.frozen_blocks", f"0 to {NUM_BLOCKS}", frozen)
        check_schedule(phase, name)
        rate, share = phase.backbone_rate, phase.half_until
        expect(rate > 0, f"{name}.backbone_rate", "above 0", rate)
        expect(0 <= share <= 1, f"{name}.half_until", "a share from 0 to 1", share)
    hoc = config.hoc
    expect(hoc.beta > 0 and hoc.prior > 0, "hoc.beta, hoc.prior", "above 0", (hoc.beta, hoc.prior))
    shares = bool(hoc.reveal) and all(0 < share <= 1 for share in hoc.reveal)
    expect(shares, "hoc.reveal", "shares above 0, up to 1", hoc.reveal)
    expect(hoc.max_points > 0, "hoc.max_points", "at least 1", hoc.max_points)
    expect(config.mdn.sigma > 0, "mdn.sigma", "above 0", config.mdn.sigma)
    for key in ("gradient_weight", "beyond_tint_weight", "likelihood_weight"):
        weight = getattr(config.joint, key)
        expect(weight >= 0, f"joint.{key}", "0 or more", weight)
    hints = config.hints
    for key in ("none_share", "stroke_share"):
        share = getattr(hints, key)
        expect(0 <= share <= 1, f"hints.{key}", "a share from 0 to 1", share)
    total = hints.none_share + hints.stroke_share
    expect(total <= 1, "hints.none_share + hints.stroke_share", "at most 1", total)
    expect(hints.max_points > 0, "hints.max_points", "at least 1", hints.max_points)
    settings.check_zhang(config.zhang)
    settings.check_cgan(config.cgan)
    settings.check_mln_gan(config.mln_gan)
    settings.check_bicycle_gan(config.bicycle_gan)
    settings.check_vae_mdn(config.vae_mdn, config.vae_mdn_prior)
    settings.check_pic(config.pic)


def _check_data(config: Config) -> None:
    data = config.data
    expect(0 <= config.seed < 2**31, "seed", "from 0 to 2^31 - 1", config.seed)
    expect(config.threads >= 0, "threads", "at least 0", config.threads)
    expect(data.limit >= 0, "data.limit", "at least 0", data.limit)
    expect(bool(data.include), "data.include", "a pattern at least", data.include)
    share = data.validation_share
    expect(0 < share < 1, "data.validation_share", "a share between 0 and 1", share)
    plates = data.plates_share
    expect(0 <= plates <= 1, "data.plates_share", "a share from 0 to 1", plates)
    expect(bool(data.grids), "data.grids", "a grid at least", data.grids)
    largest = POINTS_SIDE
    for height, width in data.grids:
        fits = height % STRIDE == 0 == width % STRIDE and min(height, width) > 0
        expect(fits, "data.grids", f"sides that are multiples of {STRIDE}", (height, width))
        largest = max(largest, height, width)
    expect(largest <= data.side <= 512, "data.side", f"from {largest} (grids) to 512", data.side)
    crop = config.hoc.crop
    fits = crop % STRIDE == 0 and 0 < crop <= data.side
    expect(fits, "hoc.crop", f"a multiple of {STRIDE} up to data.side", crop)


def _check_networks(networks: NetworkConfig) -> None:
    for key in ("widths", "blocks"):
        counts = getattr(networks, key)
        good = len(counts) == 4 and min(counts) > 0
        expect(good, f"networks.{key}", "four counts above 0, one for each scale", counts)
    for key in ("latent_channels", "latent_side", "num_components", "mdn_width"):
        expect(getattr(networks, key) > 0, f"networks.{key}", "above 0", getattr(networks, key))
    least = 4 if networks.position else 1
    size = networks.embedding_size
    expect(size >= least, "networks.embedding_size", f"at least {least}", size)
    widths = networks.hints_widths
    good = len(widths) == 5 and min(widths) > 0
    expect(good, "networks.hints_widths", "five counts above 0, one for each scale", widths)
    channels = {
        "widths": networks.widths,
        "hints_widths": networks.hints_widths,
        "encoder_width": tuple(k * networks.encoder_width for k in (1, 2, 4)),
        "hoc_width": tuple(k * networks.hoc_width for k in (1, 2, 3, 4)),
    }
    for key, counts in channels.items():
        good = all(c > 0 and c % max(1, c // GROUP) == 0 for c in counts)
        expect(good, f"networks.{key}", f"channels in groups of {GROUP}", getattr(networks, key))
