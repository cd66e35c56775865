"""c-GAN: pix2pix, a U-Net against a patch discriminator.

    python -m train.baselines.cgan --config train/configs/baselines.toml --data ... --out RUN

Kept: U-Net with skips, discriminator of patches that also sees the gray picture, cross-entropy for
both sides (the discriminator's halved), lambda_L1 = 100, and noise by dropout alone in the three
innermost layers of the way up, which stays on at test time. Dropout masks are inputs, so that a
seed decides a sample. Smaller: see `unet`.

Source: Isola, Zhu, Zhou, Efros, "Image-to-Image Translation with Conditional Adversarial
Networks", CVPR 2017.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from huefield.baseline_info import NoiseSettings
from train.arguments import Stage, run_stage
from train.baselines.adversarial import Draws, train_against
from train.baselines.sampling import seeded_noise
from train.baselines.settings import CganConfig
from train.baselines.unet import PatchCritic, UNet
from train.batches import Batch, Batches
from train.config import Config
from train.player import Rival
from train.run import Run


class Generator(nn.Module):
    """Gray and chance to colours."""

    def __init__(self, config: CganConfig) -> None:
        super().__init__()
        self.kept = 1.0 - config.dropout
        self.network = UNet(config.widths)
        c2, c4, c8 = config.widths[:3]
        self.noise = {
            "drop8": NoiseSettings("uniform", c8, 8),
            "drop4": NoiseSettings("uniform", c4, 4),
            "drop2": NoiseSettings("uniform", c2, 2),
        }

    def forward(self, gray: Tensor, *chance: Tensor) -> Tensor:
        """Returns colours (N, 2, h, w), ab / 128.

        Args:
            gray: (N, 1, h, w).
            chance: numbers from 0 to 1 at 1/8, 1/4 and 1/2 of the grid; below the share kept a
                value is kept.
        """
        masks = [(numbers < self.kept).to(gray.dtype) / self.kept for numbers in chance]
        colours: Tensor = self.network(gray, masks=masks)
        return colours


class CriticLoss(nn.Module):
    """Tells true colours from the generator's."""

    def __init__(self, critic: PatchCritic, generator: Generator) -> None:
        super().__init__()
        self.critic = critic
        self._generator = (generator,)  # in a tuple, for it is not this side's to train

    def forward(
        self, run: Run, batch: Batch, draws: Draws, move: int
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns the loss, and how often it is right."""
        with run.autocast():
            with torch.no_grad():
                made = self._generator[0](batch.gray, *draws[move])
            real = self.critic(batch.gray, batch.ab)
            fake = self.critic(batch.gray, made)
        loss = 0.5 * (_crossed(real, 1.0) + _crossed(fake, 0.0))
        return loss, {"right": 0.5 * ((real > 0).float().mean() + (fake < 0).float().mean())}


class GeneratorLoss(nn.Module):
    """Colours near the truth that the discriminator takes for true."""

    def __init__(self, generator: Generator, critic: PatchCritic, config: CganConfig) -> None:
        super().__init__()
        self.generator, self.config = generator, config
        self._critic = (critic,)

    def forward(self, run: Run, batch: Batch, draws: Draws) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns the loss and its terms."""
        with run.autocast():
            made = self.generator(batch.gray, *draws[-1])
            opinion = self._critic[0](batch.gray, made)
        fooled = _crossed(opinion, 1.0)
        error = (made.float() - batch.ab).abs().mean()
        return fooled + self.config.lambda_l1 * error, {"fooled": fooled, "l1": error}


def _crossed(opinions: Tensor, wanted: float) -> Tensor:
    return functional.binary_cross_entropy_with_logits(opinions, torch.full_like(opinions, wanted))


def train(run: Run, config: Config, batches: Batches) -> dict[str, float]:
    """Trains the c-GAN and returns the best validation figures."""
    phase = config.cgan
    generator = run.place(Generator(phase))
    critic = run.place(PatchCritic(phase.critic_width))
    return train_against(
        run,
        phase,
        batches,
        GeneratorLoss(generator, critic, phase),
        Rival("critic", CriticLoss(critic, generator)),
        {"generator": generator, "critic": critic},
        generator.noise,
        lambda gray, k: generator(gray, *seeded_noise(generator.noise, gray, k)),
    )


STAGES = (Stage("cgan", train),)

if __name__ == "__main__":
    raise SystemExit(run_stage(STAGES))
