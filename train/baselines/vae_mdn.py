"""VAE-MDN: a low-dimensional code of colour fields, and a mixture density network for it.

    python -m train.baselines.vae_mdn --config train/configs/baselines.toml --data ... --out RUN

Two stages, `vae_mdn` and `vae_mdn_prior`. Kept: an encoder that sees the colour field alone; a
decoder that starts from the product of the code and the coarsest gray features and joins the finer
ones as skips; the three terms of its loss, the rarity-weighted squared error, the squared error of
the colour gradients, and the distance along the top-k principal components of colour fields, each
over its variance, the residual over the k-th; a mixture of 8 Gaussians of deviation 0.1 on the gray
picture, trained towards its nearest mean. Smaller: a quarter of the channels, four scales; the
mixture reads gray features trained here, from the decoder's on, in place of those of Zhang et al.'s
network; principal components are those of fields of 16 x 16 cells. The loader that the authors
released interleaves a and b wrongly; here a field stays (2, h, w).

Source: Deshpande, Lu, Yeh, Chong, Forsyth, "Learning Diverse Image Colorization", CVPR 2017.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from huefield.mixture import Mixture
from train.arguments import Stage, run_stage
from train.baselines.principal import Directions, direction_distance, principal_directions
from train.baselines.sampling import draw_samples, sample_figures
from train.baselines.settings import VaeMdnConfig, VaeMdnPriorConfig
from train.batches import Batch, Batches
from train.config import Config
from train.layers import norm, pool, upsample_to
from train.loop import fit
from train.losses import UNIT, colour_bins, kl_divergence, mixture_loss, num_active, rarity_table
from train.networks import LOG_VARIANCE_RANGE
from train.run import Run
from train.sheet import write_sheet

SIDE = 4  # cells along each side of the encoder's last map
FINE = 16


class GrayFeatures(nn.Module):
    """What the gray picture shows at 1/2, 1/4, 1/8 and 1/16 of the grid."""

    def __init__(self, config: VaeMdnConfig) -> None:
        super().__init__()
        before = (1, *config.widths[:3])
        self.layers = nn.ModuleList(
            nn.Conv2d(channels, width, 5, stride=2, padding=2)
            for channels, width in zip(before, config.widths, strict=True)
        )
        self.norms = nn.ModuleList(norm(width) for width in config.widths)

    def forward(self, gray: Tensor) -> list[Tensor]:
        """Returns the features of the four scales, fine to coarse."""
        features, y = [], gray
        for layer, normed in zip(self.layers, self.norms, strict=True):
            y = normed(functional.relu(layer(y)))
            features.append(y)
        return features


class Encoder(nn.Module):
    """A colour field to the posterior of its code."""

    def __init__(self, config: VaeMdnConfig) -> None:
        super().__init__()
        c = config.encoder_width
        widths = (2, c, 2 * c, 3 * c, 4 * c)
        layers: list[nn.Module] = []
        for before, width in itertools.pairwise(widths):
            layers += [nn.Conv2d(before, width, 5, stride=2, padding=2), nn.ReLU(), norm(width)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(4 * c * SIDE * SIDE, 2 * config.code_size)

    def forward(self, ab: Tensor) -> tuple[Tensor, Tensor]:
        """Returns mean and log-variance, each (N, Z), float32, of ab (N, 2, h, w)."""
        y = pool(self.body(ab), SIDE).flatten(1)
        mean, log_variance = self.head(y).float().chunk(2, dim=1)
        return mean, log_variance.clamp(*LOG_VARIANCE_RANGE)


class Decoder(nn.Module):
    """A code and the gray picture to colours."""

    def __init__(self, config: VaeMdnConfig) -> None:
        super().__init__()
        c2, c4, c8, c16 = config.widths
        self.gray = GrayFeatures(config)
        self.code = nn.Linear(config.code_size, c16)
        after = (c16, c8, c4, c2)
        before = (c16, c16 + c8, c8 + c4, c4 + c2)
        self.layers = nn.ModuleList(
            nn.Conv2d(channels, width, 3, padding=1)
            for channels, width in zip(before, after, strict=True)
        )
        self.norms = nn.ModuleList(norm(width) for width in after)
        self.fine = nn.Conv2d(c2 + 1, FINE, 3, padding=1)
        self.head = nn.Conv2d(FINE, 2, 3, padding=1)

    def forward(self, gray: Tensor, z: Tensor) -> Tensor:
        """Returns colours (N, 2, h, w), ab / 128, of gray (N, 1, h, w) and z (N, Z)."""
        features = self.gray(gray)
        y = features[-1] * self.code(z)[:, :, None, None]
        skips = [None, *features[-2::-1]]
        for layer, normed, skip in zip(self.layers, self.norms, skips, strict=True):
            if skip is not None:
                y = torch.cat([upsample_to(y, skip), skip], dim=1)
            y = normed(functional.relu(layer(y)))
        y = functional.relu(self.fine(torch.cat([upsample_to(y, gray), gray], dim=1)))
        return torch.tanh(self.head(y))


class Mdn(nn.Module):
    """Gray to a mixture of codes."""

    def __init__(self, config: VaeMdnConfig, prior: VaeMdnPriorConfig) -> None:
        super().__init__()
        self.components, self.code_size = prior.num_components, config.code_size
        self.gray = GrayFeatures(config)
        self.body = nn.Linear(config.widths[-1] * SIDE * SIDE, prior.width)
        self.head = nn.Linear(prior.width, prior.num_components * (config.code_size + 1))

    def forward(self, gray: Tensor) -> tuple[Tensor, Tensor]:
        """Returns pi (N, M), which sums to 1, and mu (N, M, Z), both float32."""
        y = pool(self.gray(gray)[-1], SIDE).flatten(1)
        y = self.head(torch.tanh(self.body(y))).float()
        pi, mu = y.split([self.components, self.components * self.code_size], dim=1)
        return torch.softmax(pi, dim=1), mu.reshape(-1, self.components, self.code_size)


class VaeLoss(nn.Module):
    """Rarity-weighted error + gradients + principal components + KL."""

    rarity: Tensor

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        config: VaeMdnConfig,
        rarity: Tensor,
        directions: Directions,
    ) -> None:
        super().__init__()
        self.encoder, self.decoder, self.config = encoder, decoder, config
        self.directions = directions
        self.register_buffer("rarity", rarity, persistent=False)

    def forward(
        self, run: Run, batch: Batch, noise: Tensor, kl_weight: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns the loss and its terms; noise is (N, Z)."""
        with run.autocast():
            mean, log_variance = self.encoder(batch.ab)
            z = mean + noise * (0.5 * log_variance).exp()
            colours = self.decoder(batch.gray, z)
        total, figures = self.decoder_loss(colours.float(), batch.ab)
        kl = kl_divergence(mean, log_variance).sum(1).mean()
        return total + kl_weight * kl, figures | {"kl": kl}

    def decoder_loss(self, colours: Tensor, ab: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns what is asked of colours (N, 2, h, w), in units of 10 ab, and its terms."""
        difference = (colours - ab) * UNIT
        squared = (difference.square().sum(1) * self.rarity[colour_bins(ab)]).mean()
        down = (difference[:, :, 1:] - difference[:, :, :-1]).square().mean()
        across = (difference[..., 1:] - difference[..., :-1]).square().mean()
        distance = direction_distance(colours, ab, self.directions).mean()
        total = squared + self.config.gradient_weight * (down + across)
        total = total + self.config.direction_weight * distance
        return total, {"colour": squared, "gradient": down + across, "directions": distance}


def train_vae(run: Run, config: Config, batches: Batches) -> dict[str, float]:
    """Trains encoder and decoder and returns the best validation figures."""
    phase = config.vae_mdn
    encoder, decoder = run.place(Encoder(phase)), run.place(Decoder(phase))
    directions = principal_directions(batches, phase.num_directions).to(run.device)
    rarity = rarity_table(batches, phase.rarity)
    loss = run.place(VaeLoss(encoder, decoder, phase, rarity, directions))

    def arguments(step: int, num_steps: int) -> tuple[Any, ...]:
        batch = batches.train(step, phase.batch_size, part=run.part(phase.batch_size))
        noise = run.noise(step, phase.batch_size, phase.code_size)
        kl_weight = phase.kl_weight * min(1.0, step / num_steps / max(phase.kl_warmup, 1e-9))
        return run, batch.to(run.device), noise, kl_weight

    def validate() -> dict[str, float]:
        total, errors, kls, count = 0.0, 0.0, 0.0, 0
        means = []
        for batch in (b.to(run.device) for b in batches.validation(32)):
            with run.autocast():
                mean, log_variance = encoder(batch.ab)
                colours = decoder(batch.gray, mean).float()
            total += float(loss.decoder_loss(colours, batch.ab)[0]) * len(mean)
            errors += float((colours - batch.ab).abs().mean((1, 2, 3)).sum())
            kls += float(kl_divergence(mean, log_variance).sum())
            means.append(mean)
            count += len(mean)
        figures = {"val_mae": errors / count, "val_kl": kls / count}
        figures["active"] = float(num_active(torch.cat(means)))
        return figures | {"score": total / count + phase.kl_weight * figures["val_kl"]}

    def draw(path: Path) -> None:
        batch = next(batches.validation(10)).to(run.device)
        mean, _ = encoder(batch.ab)
        noise = torch.randn(4, *mean.shape, generator=torch.Generator().manual_seed(0))
        fields = [decoder(batch.gray, z) for z in (mean, *noise.to(run.device))]
        write_sheet(path, batch.gray, [batch.ab, *fields])

    return fit(
        run,
        phase,
        loss,
        {"encoder": encoder, "decoder": decoder},
        num_photos=len(batches),
        arguments=arguments,
        validate=validate,
        draw=draw,
    )


class PriorLoss(nn.Module):
    """Distance of the posterior's mean to the nearest component."""

    def __init__(self, encoder: Encoder, mdn: Mdn, sigma: float) -> None:
        super().__init__()
        self.mdn, self.sigma = mdn, sigma
        self._encoder = (encoder,)  # in a tuple, for it is not trained here

    def forward(self, run: Run, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns the loss, per number in z, and how many components are in use."""
        with run.autocast():
            with torch.no_grad():
                mean, _ = self._encoder[0](batch.ab)
            pi, mu = self.mdn(batch.gray)
        in_use = (pi.mean(0) + 1e-8).log().mul(-pi.mean(0)).sum().exp()
        value = mixture_loss(pi, mu, mean, self.sigma).mean() / mean.shape[1]
        return value, {"components": in_use}


def train_prior(run: Run, config: Config, batches: Batches) -> dict[str, float]:
    """Trains the mixture on the frozen auto-encoder and returns the best validation figures."""
    phase = config.vae_mdn_prior
    encoder, decoder = run.place(Encoder(config.vae_mdn)), run.place(Decoder(config.vae_mdn))
    mdn = run.place(Mdn(config.vae_mdn, phase))
    checkpoint = run.load("vae_mdn.pt")
    run.restore(encoder, checkpoint, "encoder")
    run.restore(decoder, checkpoint, "decoder")
    mdn.gray.load_state_dict(decoder.gray.state_dict())

    def arguments(step: int, num_steps: int) -> tuple[Any, ...]:
        batch = batches.train(step, phase.batch_size, part=run.part(phase.batch_size))
        return run, batch.to(run.device)

    def sample(gray: Tensor, number: int) -> Tensor:
        pi, mu = (t.cpu().numpy() for t in mdn(gray))
        mixtures = [Mixture(p, m, phase.sigma) for p, m in zip(pi, mu, strict=True)]
        drawn = [mixture.sample(number + 1, 0).z[number] for mixture in mixtures]
        z = torch.stack([torch.from_numpy(code) for code in drawn])
        colours: Tensor = decoder(gray, z.to(gray.device))
        return colours

    def validate() -> dict[str, float]:
        total, count = 0.0, 0
        for batch in (b.to(run.device) for b in batches.validation(32)):
            mean, _ = encoder(batch.ab)
            pi, mu = mdn(batch.gray)
            total += float(mixture_loss(pi, mu, mean, phase.sigma).sum())
            count += len(mean)
        figures = sample_figures(sample, batches, run)
        return figures | {"score": total / count / config.vae_mdn.code_size}

    return fit(
        run,
        phase,
        PriorLoss(encoder, mdn, phase.sigma),
        {"mdn": mdn},
        num_photos=len(batches),
        arguments=arguments,
        validate=validate,
        draw=lambda path: draw_samples(path, sample, batches, run),
    )


STAGES = (Stage("vae_mdn", train_vae), Stage("vae_mdn_prior", train_prior))

if __name__ == "__main__":
    raise SystemExit(run_stage(STAGES))
