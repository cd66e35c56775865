"""A stage after the paper's two: decoder and mixture together, by the colours of the best sample.

    python -m train.joint --config train/configs/photos.toml --data PHOTOS.zip --out runs/photos

Stage 2 brings the mixture near to the posterior's codes, whatever the decoder makes of the
difference. Here a sample of every component is coloured, the one whose colours are nearest to the
truth is kept, as Eq. 9 keeps the nearest code, and through it both networks learn. A departure
from the paper, which trains them one after the other; no encoder is needed.

Source of the choice of the best: Guzman-Rivera, Batra, Kohli, “Multiple Choice Learning”, NIPS
2012; of drawing them anew at each step: Li and Malik, “Implicit Maximum Likelihood Estimation”,
2018.
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
from train.losses import (
    UNIT,
    beyond_tint,
    colour_bins,
    colour_distance,
    colour_error,
    gradient_error,
    rarity_table,
)
from train.mdn import draw_components
from train.networks import Decoder, Mdn
from train.run import Run


class JointLoss(nn.Module):
    """The colours of the best sample, as stage 1 measures them, and how likely it was called."""

    rarity: Tensor

    def __init__(self, decoder: Decoder, mdn: Mdn, config: Config, rarity: Tensor) -> None:
        super().__init__()
        self.decoder, self.mdn, self.config = decoder, mdn, config
        self.register_buffer("rarity", rarity, persistent=False)

    def forward(self, run: Run, batch: Batch, noise: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns the loss and its terms; noise is (N, M, Z)."""
        with run.autocast():
            features = self.decoder.gray(batch.gray)
            pi, mu = self.mdn(batch.gray)
            z = mu + self.config.mdn.sigma * noise  # (N, M, Z)
            with torch.no_grad():
                unaries = self.decoder.decode_each(features, z)
                best = colour_distance(unaries, batch.ab[:, None]).argmin(1)
            unary = self.decoder.decode(features, z[torch.arange(len(z)), best])
        return self.terms(batch, pi, best, unary.float())

    def terms(
        self, batch: Batch, pi: Tensor, best: Tensor, unary: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns the loss and its terms, of the unary (N, 2, h, w) of the best component (N,)."""
        phase = self.config.joint
        colour = colour_error(unary, batch.ab, self.rarity[colour_bins(batch.ab)])
        gradient = gradient_error(unary, batch.ab)
        made, true = (beyond_tint(batch.gray, ab) for ab in (unary, batch.ab))
        beyond = (made - true).abs().mean() * UNIT
        called = -pi.gather(1, best[:, None]).clamp_min(1e-8).log().mean()
        total = (
            colour
            + phase.gradient_weight * gradient
            + phase.beyond_tint_weight * beyond
            + phase.likelihood_weight * called
        )
        share = made.detach().sum() / true.sum().clamp_min(1e-6)
        figures = {"colour": colour, "gradient": gradient, "called": called, "beyond": share}
        return total, figures


def train(run: Run, config: Config, batches: Batches) -> dict[str, float]:
    """Trains decoder and MDN and returns the best validation figures."""
    phase, networks = config.joint, config.networks
    decoder, mdn = run.place(Decoder(networks)), run.place(Mdn(networks))
    earlier = "hoc.pt" if (run.out / "hoc.pt").exists() else "vae.pt"
    run.restore(decoder, run.load(earlier), "decoder")
    run.restore(mdn, run.load("mdn.pt"), "mdn")
    for gray in (decoder.gray, mdn.gray):
        if gray.backbone is not None:
            gray.backbone.freeze(phase.frozen_blocks)
    loss = JointLoss(decoder, mdn, config, rarity_table(batches, phase.rarity)).to(run.device)
    components, size = networks.num_components, networks.latent_size

    def arguments(step: int, num_steps: int) -> tuple[Any, ...]:
        half = step / num_steps < phase.half_until
        batch = batches.train(
            step, phase.batch_size, half=half, part=run.part(phase.batch_size)
        ).to(run.device)
        return run, batch, run.noise(step, phase.batch_size, components, size)

    def validate() -> dict[str, float]:
        totals = {"val_best_mae": 0.0, "val_first_mae": 0.0, "made": 0.0, "true": 0.0, "score": 0.0}
        count = 0
        for k, batch in enumerate(b.to(run.device) for b in batches.validation(16, limit=192)):
            pi, mu = mdn(batch.gray)
            noise = torch.randn(mu.shape, generator=torch.Generator().manual_seed(k))
            z = mu + config.mdn.sigma * noise.to(run.device)
            unaries = decoder.decode_each(decoder.gray(batch.gray), z)
            errors = colour_distance(unaries, batch.ab[:, None])
            best = errors.argmin(1)
            rows = torch.arange(len(z))
            value, _ = loss.terms(batch, pi, best, unaries[rows, best])
            each = [beyond_tint(batch.gray, unaries[:, m]) for m in range(components)]
            totals["score"] += float(value) * len(z)
            totals["val_best_mae"] += float(errors[rows, best].sum())
            totals["val_first_mae"] += float(errors[rows, pi.argmax(1)].sum())
            totals["made"] += float(torch.stack(each).mean(0).sum())
            totals["true"] += float(beyond_tint(batch.gray, batch.ab).sum())
            count += len(z)
        share = totals.pop("made") / max(totals.pop("true"), 1e-9)
        return {name: total / count for name, total in totals.items()} | {"val_beyond": share}

    def draw(path: Path) -> None:
        batch = next(batches.validation(12)).to(run.device)
        draw_components(path, batch, decoder, mdn)

    return fit(
        run,
        phase,
        loss,
        {"decoder": decoder, "mdn": mdn},
        num_photos=len(batches),
        arguments=arguments,
        validate=validate,
        draw=draw,
        inherited=("decoder", "mdn"),
    )


if __name__ == "__main__":
    raise SystemExit(run_stage([Stage("joint", train)]))
