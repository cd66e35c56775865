"""BicycleGAN: a code of 8 numbers that colours and code determine each other by.

    python -m train.baselines.bicycle_gan --config train/configs/baselines.toml --data ... --out RUN

Kept: the code joins every layer of the way down; both halves, cVAE-GAN (the true colours' code must
give them back, its posterior stays near the prior) and cLR-GAN (a drawn code must be recovered from
the colours that it gave, by the generator's effort alone); least-squares discriminators of patches,
one for each half; lambda_L1 = 10, lambda_z = 0.5, lambda_KL = 0.01. Smaller: see `unet`; an encoder
of three residual scales in place of a ResNet; a discriminator at one scale in place of two.

Source: Zhu, Zhang, Pathak, Darrell, Efros, Wang, Shechtman, "Toward Multimodal Image-to-Image
Translation", NeurIPS 2017.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from huefield.baseline_info import NoiseSettings
from train.arguments import Stage, run_stage
from train.baselines.adversarial import Draws, train_against
from train.baselines.sampling import seeded_noise
from train.baselines.settings import BicycleGanConfig
from train.baselines.unet import PatchCritic, UNet
from train.batches import Batch, Batches
from train.config import Config
from train.layers import Block, norm
from train.losses import kl_divergence
from train.networks import LOG_VARIANCE_RANGE
from train.player import Rival
from train.run import Run


class Generator(nn.Module):
    """Gray and a code to colours."""

    def __init__(self, config: BicycleGanConfig) -> None:
        super().__init__()
        self.network = UNet(config.widths, config.code_size)
        self.noise = {"z": NoiseSettings("normal", config.code_size, 0)}

    def forward(self, gray: Tensor, z: Tensor) -> Tensor:
        """Returns colours (N, 2, h, w), ab / 128, of gray (N, 1, h, w) and z (N, Z)."""
        colours: Tensor = self.network(gray, z)
        return colours


class Encoder(nn.Module):
    """A coloured photo to the posterior of its code."""

    def __init__(self, config: BicycleGanConfig) -> None:
        super().__init__()
        c = config.encoder_width
        self.body = nn.Sequential(
            nn.Conv2d(3, c, 4, stride=2, padding=1),
            Block(c),
            nn.Conv2d(c, 2 * c, 3, stride=2, padding=1),
            Block(2 * c),
            nn.Conv2d(2 * c, 4 * c, 3, stride=2, padding=1),
            Block(4 * c),
            norm(4 * c),
            nn.SiLU(),
        )
        self.head = nn.Linear(4 * c, 2 * config.code_size)

    def forward(self, gray: Tensor, ab: Tensor) -> tuple[Tensor, Tensor]:
        """Returns mean and log-variance, each (N, Z), float32."""
        y = self.body(torch.cat([gray, ab.to(gray.dtype)], dim=1)).mean((2, 3))
        mean, log_variance = self.head(y).float().chunk(2, dim=1)
        return mean, log_variance.clamp(*LOG_VARIANCE_RANGE)


class Critics(nn.Module):
    """A discriminator for each half."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.encoded, self.drawn = PatchCritic(width), PatchCritic(width)


class CriticLoss(nn.Module):
    """Tells true colours from those of both halves."""

    def __init__(self, critics: Critics, generator: Generator, encoder: Encoder) -> None:
        super().__init__()
        self.critics = critics
        self._rivals = (generator, encoder)  # in a tuple, for they are not this side's to train

    def forward(
        self, run: Run, batch: Batch, draws: Draws, move: int
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns the loss and each half's part in it."""
        generator, encoder = self._rivals
        (drawn,) = draws[move]
        with run.autocast():
            with torch.no_grad():
                mean, log_variance = encoder(batch.gray, batch.ab)
                # The last move's numbers serve as the posterior's: they are independent of these.
                encoded = mean + draws[-1][0] * (0.5 * log_variance).exp()
                made = [generator(batch.gray, z) for z in (encoded, drawn)]
            critics = (self.critics.encoded, self.critics.drawn)
            losses = [
                (critic(batch.gray, batch.ab) - 1.0).square().mean()
                + critic(batch.gray, colours).square().mean()
                for critic, colours in zip(critics, made, strict=True)
            ]
        return losses[0] + losses[1], {"encoded": losses[0], "drawn": losses[1]}


class GeneratorLoss(nn.Module):
    """Both halves of generator and encoder."""

    def __init__(
        self, generator: Generator, encoder: Encoder, critics: Critics, config: BicycleGanConfig
    ) -> None:
        super().__init__()
        self.generator, self.encoder, self.config = generator, encoder, config
        self._critics = (critics,)

    def forward(self, run: Run, batch: Batch, draws: Draws) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns the loss and its terms."""
        config, critics = self.config, self._critics[0]
        (posterior_noise,), (drawn,) = draws[0], draws[-1]
        with run.autocast():
            mean, log_variance = self.encoder(batch.gray, batch.ab)
            encoded = mean + posterior_noise * (0.5 * log_variance).exp()
            back = self.generator(batch.gray, encoded)
            other = self.generator(batch.gray, drawn)
            fooled = (critics.encoded(batch.gray, back) - 1.0).square().mean()
            fooled = fooled + (critics.drawn(batch.gray, other) - 1.0).square().mean()
            # The code is recovered by an encoder that stays as it is, or it could hide it there.
            still = {name: value.detach() for name, value in self.encoder.named_parameters()}
            recovered, _ = torch.func.functional_call(self.encoder, still, (batch.gray, other))
        error = (back.float() - batch.ab).abs().mean()
        code_error = (recovered - drawn).abs().mean()
        kl = kl_divergence(mean, log_variance).sum(1).mean()
        total = fooled + config.lambda_l1 * error + config.lambda_z * code_error
        total = total + config.lambda_kl * kl
        return total, {"fooled": fooled, "l1": error, "code": code_error, "kl": kl}


def train(run: Run, config: Config, batches: Batches) -> dict[str, float]:
    """Trains the BicycleGAN and returns the best validation figures."""
    phase = config.bicycle_gan
    generator, encoder = run.place(Generator(phase)), run.place(Encoder(phase))
    critics = run.place(Critics(phase.critic_width))
    return train_against(
        run,
        phase,
        batches,
        GeneratorLoss(generator, encoder, critics, phase),
        Rival("critic", CriticLoss(critics, generator, encoder)),
        {"generator": generator, "encoder": encoder, "critics": critics},
        generator.noise,
        lambda gray, k: generator(gray, *seeded_noise(generator.noise, gray, k)),
    )


STAGES = (Stage("bicycle_gan", train),)

if __name__ == "__main__":
    raise SystemExit(run_stage(STAGES))
