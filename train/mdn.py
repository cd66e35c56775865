"""Stage 2: the mixture density network, p(z | gray), on the frozen posterior.

    python -m train.mdn --config train/configs/photos.toml --data PHOTOS.zip --out runs/photos

Source: the paper, section 3.3 and Eq. 9.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from train.arguments import Stage, run_stage
from train.batches import Batch, Batches
from train.config import Config
from train.loop import fit
from train.losses import colour_distance, mixture_loss
from train.networks import Decoder, Encoder, Mdn
from train.run import Run
from train.sheet import write_sheet


class MdnLoss(nn.Module):
    """Distance of the posterior to the nearest component."""

    def __init__(self, encoder: Encoder, mdn: Mdn, config: Config) -> None:
        super().__init__()
        self.encoder, self.mdn, self.config = encoder, mdn, config

    def forward(self, run: Run, batch: Batch, noise: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns the loss, per number in z, and its figures; noise is (N, Z)."""
        phase = self.config.mdn
        with run.autocast():
            with torch.no_grad():
                mean, log_variance = self.encoder(batch.gray, batch.ab)
            pi, mu = self.mdn(batch.gray)
        z = mean + noise * (0.5 * log_variance).exp() if phase.posterior == "sample" else mean
        in_use = (pi.mean(0) + 1e-8).log().mul(-pi.mean(0)).sum().exp()
        value = mixture_loss(pi, mu, z, phase.sigma).mean()
        return value / self.config.networks.latent_size, {"components": in_use}


def draw_components(path: Path, batch: Batch, decoder: Decoder, mdn: Mdn) -> None:
    """Writes a sheet of each photo's truth and the means of its components, likeliest first."""
    pi, mu = mdn(batch.gray)
    order = pi.argsort(1, descending=True)[:, :8]
    codes = mu.gather(1, order[..., None].expand(-1, -1, mu.shape[2]))
    unaries = decoder.decode_each(decoder.gray(batch.gray), codes)
    write_sheet(path, batch.gray, [batch.ab, *unaries.unbind(1)])


def train(run: Run, config: Config, batches: Batches) -> dict[str, float]:
    """Trains the MDN and returns the best validation figures."""
    phase = config.mdn
    encoder = run.place(Encoder(config.networks))
    decoder = run.place(Decoder(config.networks))
    mdn = run.place(Mdn(config.networks))
    checkpoint = run.load("vae.pt")
    run.restore(encoder, checkpoint, "encoder")
    if (run.out / "hoc.pt").exists():
        checkpoint = run.load("hoc.pt")
    run.restore(decoder, checkpoint, "decoder")
    encoder.requires_grad_(False)
    decoder.requires_grad_(False)
    if phase.gray_from_decoder:
        mdn.gray.load_state_dict(decoder.gray.state_dict())
    if mdn.gray.backbone is not None:
        mdn.gray.backbone.freeze(phase.frozen_blocks)
    loss = MdnLoss(encoder, mdn, config)

    def arguments(step: int, num_steps: int) -> tuple[Any, ...]:
        half = step / num_steps < phase.half_until
        batch = batches.train(
            step, phase.batch_size, half=half, part=run.part(phase.batch_size)
        ).to(run.device)
        return run, batch, run.noise(step, phase.batch_size, config.networks.latent_size)

    def validate() -> dict[str, float]:
        total, best, first, count = 0.0, 0.0, 0.0, 0
        for batch in (b.to(run.device) for b in batches.validation(16, limit=256)):
            mean, _ = encoder(batch.gray, batch.ab)
            pi, mu = mdn(batch.gray)
            total += float(mixture_loss(pi, mu, mean, phase.sigma).sum())
            unaries = decoder.decode_each(decoder.gray(batch.gray), mu)
            errors = colour_distance(unaries, batch.ab[:, None])  # (N, M)
            best += float(errors.min(1).values.sum())
            first += float(errors.gather(1, pi.argmax(1, keepdim=True)).sum())
            count += len(mean)
        figures = {"val_best_mae": best / count, "val_first_mae": first / count}
        return figures | {"score": total / count / config.networks.latent_size}

    def draw(path: Path) -> None:
        batch = next(batches.validation(12)).to(run.device)
        draw_components(path, batch, decoder, mdn)

    return fit(
        run,
        phase,
        loss,
        {"mdn": mdn},
        num_photos=len(batches),
        arguments=arguments,
        validate=validate,
        draw=draw,
    )


if __name__ == "__main__":
    raise SystemExit(run_stage([Stage("mdn", train)]))
