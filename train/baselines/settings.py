"""What the baselines are made of: a section of the preset for each method.

`train.config` builds them from TOML and keeps them in checkpoints; the modules of the methods say
what each is.
"""

from __future__ import annotations

from dataclasses import dataclass

from train.backbone import NUM_BLOCKS
from train.layers import GROUP
from train.phases import PhaseConfig, ScheduleConfig, check_schedule, expect


@dataclass(frozen=True)
class CganConfig(ScheduleConfig):
    """pix2pix, see `cgan`.

    Attributes:
        widths: channels of the U-Net at 1/2, 1/4, 1/8 and 1/16 of the grid.
        critic_width: channels of the patch discriminator at 1/2 of the grid; doubled at 1/4.
        lambda_l1: weight of the absolute error beside the discriminator's opinion.
        dropout: share of the channels' values that are dropped, in training and at test time.
    """

    batch_size: int = 16
    learning_rate: float = 4e-4
    widths: tuple[int, ...] = (32, 64, 128, 192)
    critic_width: int = 32
    lambda_l1: float = 100.0
    dropout: float = 0.5


@dataclass(frozen=True)
class MlnGanConfig(ScheduleConfig):
    """Diverse colourisation by a Wasserstein GAN, see `mln_gan`.

    Attributes:
        widths: channels of the generator's layers, all at full grid.
        kernel: side of its kernels.
        noisy_layers: how many layers, from the input on, get noise.
        noise_size: numbers in one noise vector.
        critic_width: channels of the critic at 1/2 of the grid; doubled at each of the next two.
        critic_moves: steps of the critic for each of the generator's.
        penalty: weight of the critic's gradient penalty.
    """

    batch_size: int = 16
    learning_rate: float = 2e-4
    widths: tuple[int, ...] = (48, 32, 32, 32, 16)
    kernel: int = 5
    noisy_layers: int = 3
    noise_size: int = 100
    critic_width: int = 32
    critic_moves: int = 2
    penalty: float = 10.0


@dataclass(frozen=True)
class BicycleGanConfig(ScheduleConfig):
    """BicycleGAN, see `bicycle_gan`.

    Attributes:
        widths: channels of the U-Net at 1/2, 1/4, 1/8 and 1/16 of the grid.
        encoder_width: channels of the encoder at 1/2 of the grid; doubled at each of the next two.
        critic_width: channels of each discriminator at 1/2 of the grid; doubled at 1/4.
        code_size: numbers in one code.
        lambda_l1: weight of the absolute error of the half that encodes the true colours.
        lambda_z: weight of the absolute error of the recovered code.
        lambda_kl: weight of the divergence of the posterior from the prior.
    """

    batch_size: int = 16
    learning_rate: float = 4e-4
    widths: tuple[int, ...] = (32, 64, 128, 192)
    encoder_width: int = 32
    critic_width: int = 32
    code_size: int = 8
    lambda_l1: float = 10.0
    lambda_z: float = 0.5
    lambda_kl: float = 0.01


@dataclass(frozen=True)
class VaeMdnConfig(ScheduleConfig):
    """The auto-encoder of VAE-MDN, see `vae_mdn`.

    Attributes:
        widths: channels of the gray features at 1/2, 1/4, 1/8 and 1/16 of the grid.
        encoder_width: channels of the encoder at 1/2 of the grid; grows by as much at each scale.
        code_size: numbers in one code.
        rarity: lambda of the rarity weights; 1 weighs all colours alike.
        gradient_weight: weight of the squared error of the colour gradients.
        num_directions: k, principal components whose distances are scaled.
        direction_weight: weight of that Mahalanobis distance.
        kl_weight: weight of the KL term, summed over the code.
        kl_warmup: share of the steps over which it rises from 0.
    """

    widths: tuple[int, ...] = (32, 64, 96, 128)
    encoder_width: int = 32
    code_size: int = 64
    rarity: float = 0.5
    gradient_weight: float = 0.5
    num_directions: int = 20
    direction_weight: float = 0.1
    kl_weight: float = 0.004
    kl_warmup: float = 0.3


@dataclass(frozen=True)
class VaeMdnPriorConfig(ScheduleConfig):
    """The mixture density network of VAE-MDN.

    Attributes:
        num_components: M.
        width: hidden channels of its head.
        sigma: deviation of every component, fixed.
    """

    num_components: int = 8
    width: int = 256
    sigma: float = 0.1


@dataclass(frozen=True)
class PicConfig(ScheduleConfig):
    """Probabilistic image colourisation, see `pic`.

    Attributes:
        widths: channels of the gray embedding at 1/2 and 1/4 of the grid.
        blocks: residual blocks of the embedding at 1/4 of the grid.
        width: channels of the autoregressive network.
        layers: its gated layers.
        num_logistics: components of the mixture at each pixel.
    """

    batch_size: int = 16
    widths: tuple[int, ...] = (32, 96)
    blocks: int = 6
    width: int = 64
    layers: int = 6
    num_logistics: int = 10


@dataclass(frozen=True)
class ZhangConfig(PhaseConfig):
    """The local hints network of Zhang et al. 2017, see `train.baselines.zhang`.

    Attributes:
        widths: channels at 1, 1/2, 1/4 and 1/8 of the grid.
        geometric: the number of points less its least value, 0, is geometric with this chance to
            stop at each; the paper's is 1/8, a mean of seven points.
        whole_share: share of the photos that show all their colours (the paper's: 1 %).
        delta: where the Huber loss turns from square to linear, in ab / 128; the paper: 1 of ab.
    """

    frozen_blocks: int = NUM_BLOCKS
    widths: tuple[int, ...] = (32, 64, 96, 128)
    geometric: float = 0.125
    whole_share: float = 0.01
    delta: float = 1 / 128


def check_cgan(config: CganConfig) -> None:
    """Refuses settings of the c-GAN that cannot work, naming the key."""
    check_schedule(config, "cgan")
    _check_widths("cgan.widths", config.widths, 4)
    _check_widths("cgan.critic_width", (config.critic_width, 2 * config.critic_width))
    expect(config.lambda_l1 >= 0, "cgan.lambda_l1", "at least 0", config.lambda_l1)
    expect(0 < config.dropout < 1, "cgan.dropout", "a share between 0 and 1", config.dropout)


def check_mln_gan(config: MlnGanConfig) -> None:
    """Refuses settings of the MLN-GAN that cannot work, naming the key."""
    check_schedule(config, "mln_gan")
    expect(len(config.widths) > 0, "mln_gan.widths", "a layer at least", config.widths)
    _check_widths("mln_gan.widths", config.widths, len(config.widths))
    _check_widths("mln_gan.critic_width", (config.critic_width,))
    kernel = config.kernel
    expect(kernel > 0 and kernel % 2 == 1, "mln_gan.kernel", "an odd side", kernel)
    noisy = config.noisy_layers
    fits = 1 <= noisy <= len(config.widths)
    expect(fits, "mln_gan.noisy_layers", f"1 to {len(config.widths)} layers", noisy)
    for key in ("noise_size", "critic_moves"):
        value = getattr(config, key)
        expect(value > 0, f"mln_gan.{key}", "above 0", value)
    expect(config.penalty >= 0, "mln_gan.penalty", "at least 0", config.penalty)


def check_bicycle_gan(config: BicycleGanConfig) -> None:
    """Refuses settings of the BicycleGAN that cannot work, naming the key."""
    check_schedule(config, "bicycle_gan")
    _check_widths("bicycle_gan.widths", config.widths, 4)
    encoder, critic = config.encoder_width, config.critic_width
    _check_widths("bicycle_gan.encoder_width", (encoder, 2 * encoder, 4 * encoder))
    _check_widths("bicycle_gan.critic_width", (critic, 2 * critic))
    expect(config.code_size > 0, "bicycle_gan.code_size", "above 0", config.code_size)
    for key in ("lambda_l1", "lambda_z", "lambda_kl"):
        value = getattr(config, key)
        expect(value >= 0, f"bicycle_gan.{key}", "at least 0", value)


def check_vae_mdn(config: VaeMdnConfig, prior: VaeMdnPriorConfig) -> None:
    """Refuses settings of the VAE-MDN that cannot work, naming the key."""
    check_schedule(config, "vae_mdn")
    _check_widths("vae_mdn.widths", config.widths, 4)
    width = config.encoder_width
    _check_widths("vae_mdn.encoder_width", tuple(k * width for k in (1, 2, 3, 4)))
    for key in ("code_size", "num_directions"):
        value = getattr(config, key)
        expect(value > 0, f"vae_mdn.{key}", "above 0", value)
    for key in ("gradient_weight", "direction_weight", "kl_weight"):
        value = getattr(config, key)
        expect(value >= 0, f"vae_mdn.{key}", "at least 0", value)
    expect(0 < config.rarity <= 1, "vae_mdn.rarity", "a share above 0, up to 1", config.rarity)
    warmup = config.kl_warmup
    expect(0 <= warmup <= 1, "vae_mdn.kl_warmup", "a share from 0 to 1", warmup)
    check_schedule(prior, "vae_mdn_prior")
    for key in ("num_components", "width", "sigma"):
        value = getattr(prior, key)
        expect(value > 0, f"vae_mdn_prior.{key}", "above 0", value)


def check_pic(config: PicConfig) -> None:
    """Refuses settings of the PIC that cannot work, naming the key."""
    check_schedule(config, "pic")
    _check_widths("pic.widths", config.widths, 2)
    for key in ("blocks", "width", "layers", "num_logistics"):
        value = getattr(config, key)
        expect(value > 0, f"pic.{key}", "above 0", value)


def _check_widths(place: str, widths: tuple[int, ...], count: int | None = None) -> None:
    """Channels must be counts that the normalisation can part into groups."""
    if count is not None:
        expect(len(widths) == count, place, f"{count} counts", widths)
    good = all(c > 0 and c % max(1, c // GROUP) == 0 for c in widths)
    expect(good, place, f"channels in groups of {GROUP}", widths)


def check_zhang(zhang: ZhangConfig) -> None:
    """Refuses what `zhang` cannot train."""
    widths = zhang.widths
    good = len(widths) == 4 and all(c > 0 and c % max(1, c // GROUP) == 0 for c in widths)
    expect(good, "zhang.widths", f"four counts of channels in groups of {GROUP}", widths)
    expect(0 < zhang.geometric < 1, "zhang.geometric", "between 0 and 1", zhang.geometric)
    share = zhang.whole_share
    expect(0 <= share <= 1, "zhang.whole_share", "a share from 0 to 1", share)
    expect(zhang.delta > 0, "zhang.delta", "above 0", zhang.delta)
