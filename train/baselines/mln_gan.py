"""MLN-GAN: a stride-1 generator with noise in several layers against a Wasserstein critic.

    python -m train.baselines.mln_gan --config train/configs/baselines.toml --data ... --out RUN

Kept: no pooling or stride in the generator; the gray picture joins the input of every layer; noise
joins the first three, each by a projection of its own of one vector of 100 uniform numbers; no
reconstruction loss at all, only a Wasserstein critic that sees lightness and colours together. The
critic is held to slope 1 by the gradient penalty, which the authors' code offers beside clipping.
Smaller: 16 to 48 channels in place of 32 to 128, kernels of 5 throughout, a critic of three layers
and a mean in place of four and a dense layer, two of its steps for one of the generator's. Noise is
projected to 8 x 8 places and enlarged in place of to every pixel, so that any grid fits. Colours
are ab in place of UV.

Source: Cao, Zhou, Zhang, Yu, "Unsupervised Diverse Colorization via Generative Adversarial
Networks", ECML PKDD 2017; Gulrajani et al., NeurIPS 2017 (gradient penalty).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from huefield.baseline_info import NoiseSettings
from train.arguments import Stage, run_stage
from train.baselines.adversarial import Draws, train_against
from train.baselines.sampling import seeded_noise
from train.baselines.settings import MlnGanConfig
from train.batches import Batch, Batches
from train.config import Config
from train.layers import norm, upsample_to
from train.player import Rival
from train.run import Run

PLACES = 8  # along each side, to which noise is projected
SLOPE = 0.2


class Generator(nn.Module):
    """Gray and chance to colours, all at full grid."""

    def __init__(self, config: MlnGanConfig) -> None:
        super().__init__()
        widths, kernel = config.widths, config.kernel
        before = (0, *widths)  # channels of the layer before; the first has the condition alone
        noisy = [int(number < config.noisy_layers) for number in range(len(widths))]
        self.project = nn.ModuleList(
            nn.Linear(config.noise_size, PLACES * PLACES) for _ in range(config.noisy_layers)
        )
        for projection in self.project:  # to variance 1, as their batch normalisation does
            nn.init.normal_(cast(Tensor, projection.weight), std=(3.0 / config.noise_size) ** 0.5)
        self.layers = nn.ModuleList(
            nn.Conv2d(channels + 1 + extra, width, kernel, padding=kernel // 2)
            for channels, extra, width in zip(before, noisy, widths, strict=False)
        )
        self.norms = nn.ModuleList(norm(width) for width in widths)
        self.head = nn.Conv2d(widths[-1] + 1, 2, kernel, padding=kernel // 2)
        nn.init.normal_(self.head.weight, std=0.02)  # training starts from near gray
        self.noise = {"z": NoiseSettings("uniform", config.noise_size, 0)}

    def forward(self, gray: Tensor, z: Tensor) -> Tensor:
        """Returns colours (N, 2, h, w), ab / 128, of gray (N, 1, h, w) and z (N, Z), 0 to 1."""
        y = gray
        for number, (layer, normed) in enumerate(zip(self.layers, self.norms, strict=True)):
            joined = [gray] if number == 0 else [y, gray]
            if number < len(self.project):
                places = self.project[number](2.0 * z - 1.0).reshape(-1, 1, PLACES, PLACES)
                joined.append(upsample_to(functional.relu(places), gray).to(gray.dtype))
            y = functional.relu(normed(layer(torch.cat(joined, dim=1))))
        return torch.tanh(self.head(torch.cat([y, gray], dim=1)))


class Critic(nn.Module):
    """Says how real a coloured photo looks, without bounds and without normalisation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, width, 4, stride=2, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1),
            nn.LeakyReLU(SLOPE),
        )
        self.head = nn.Linear(4 * width, 1)

    def forward(self, gray: Tensor, ab: Tensor) -> Tensor:
        """Returns opinions (N,), float32."""
        y = self.body(torch.cat([gray, ab.to(gray.dtype)], dim=1))
        opinions: Tensor = self.head(y.mean((2, 3)))[:, 0]
        return opinions.float()


class CriticLoss(nn.Module):
    """How much less real the generator's colours look than true ones, and the slope's penalty."""

    def __init__(self, critic: Critic, generator: Generator, config: MlnGanConfig) -> None:
        super().__init__()
        self.critic, self.config = critic, config
        self._generator = (generator,)  # in a tuple, for it is not this side's to train

    def forward(
        self, run: Run, batch: Batch, draws: Draws, move: int
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns the loss; "distance" estimates the Wasserstein distance."""
        with torch.no_grad(), run.autocast():
            made = self._generator[0](batch.gray, *draws[move])
        made = made.float()
        real, fake = self.critic(batch.gray, batch.ab), self.critic(batch.gray, made)
        # Between each pair, by a share that a number of another move's noise decides.
        share = draws[move - 1][0][:, :1, None, None]
        between = (batch.ab + share * (made - batch.ab)).detach().requires_grad_(True)
        opinion = self.critic(batch.gray, between).sum()
        (slope,) = torch.autograd.grad(opinion, between, create_graph=True)
        penalty = (slope.flatten(1).norm(dim=1) - 1.0).square().mean()
        distance = real.mean() - fake.mean()
        return self.config.penalty * penalty - distance, {"distance": distance}


class GeneratorLoss(nn.Module):
    """Colours that look real to the critic."""

    def __init__(self, generator: Generator, critic: Critic) -> None:
        super().__init__()
        self.generator = generator
        self._critic = (critic,)

    def forward(self, run: Run, batch: Batch, draws: Draws) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns the loss, and the error that nothing asks to be small."""
        with run.autocast():
            made = self.generator(batch.gray, *draws[-1])
        opinion = self._critic[0](batch.gray, made.float())
        return -opinion.mean(), {"l1": (made.float() - batch.ab).abs().mean()}


def train(run: Run, config: Config, batches: Batches) -> dict[str, float]:
    """Trains the MLN-GAN and returns the best validation figures."""
    phase = config.mln_gan
    generator = run.place(Generator(phase))
    critic = run.place(Critic(phase.critic_width))
    return train_against(
        run,
        phase,
        batches,
        GeneratorLoss(generator, critic),
        Rival("critic", CriticLoss(critic, generator, phase), moves=phase.critic_moves),
        {"generator": generator, "critic": critic},
        generator.noise,
        lambda gray, k: generator(gray, *seeded_noise(generator.noise, gray, k)),
    )


STAGES = (Stage("mln_gan", train),)

if __name__ == "__main__":
    raise SystemExit(run_stage(STAGES))
