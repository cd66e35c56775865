"""Stage 1 phase 1: the variational auto-encoder, unary only.

    python -m train.vae --config train/configs/photos.toml --data PHOTOS.zip --out runs/photos

Source: the paper, section 3.1 and Eq. 2 to 4.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from train.arguments import Stage, run_stage
from train.batches import Batch, Batches
from train.config import Config, VaeConfig
from train.loop import fit
from train.losses import (
    colour_bins,
    colour_error,
    gradient_error,
    kl_divergence,
    num_active,
    rarity_table,
)
from train.networks import Decoder, Encoder
from train.run import Run, TrainingError
from train.sheet import write_sheet


class VaeLoss(nn.Module):
    """Rarity-weighted reconstruction + colour gradients + KL; a share of photos sees z = 0."""

    rarity: Tensor

    def __init__(
        self, encoder: Encoder, decoder: Decoder, config: VaeConfig, rarity: Tensor
    ) -> None:
        super().__init__()
        self.encoder, self.decoder, self.config = encoder, decoder, config
        self.register_buffer("rarity", rarity, persistent=False)

    def forward(
        self, run: Run, batch: Batch, noise: Tensor, kl_weight: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns the loss and its terms.

        Args:
            run: for its precision.
            batch: the photos.
            noise: (N, Z + 1), the draw of z and, last, of which photos are coloured from z = 0.
            kl_weight: present weight of the KL term.
        """
        config = self.config
        with run.autocast():
            mean, log_variance = self.encoder(batch.gray, batch.ab)
            z = mean + noise[:, :-1] * (0.5 * log_variance).exp()
            with_code = (
                0.5 * (1.0 + torch.erf(noise[:, -1:] / math.sqrt(2.0))) >= config.base_share
            ).float()
            features = self.decoder.gray(batch.gray)
            unary = self.decoder.decode(features, z * with_code)
            logits = self.decoder.name_logits(features) if self.decoder.names is not None else None
        reconstruction = colour_error(unary, batch.ab, self.rarity[colour_bins(batch.ab)])
        gradient = gradient_error(unary, batch.ab)
        kl = kl_divergence(mean, log_variance).sum(1).mean()
        total = reconstruction + config.gradient_weight * gradient + kl_weight * kl
        figures = {"colour": reconstruction, "gradient": gradient, "kl": kl}
        if logits is not None:
            named = functional.cross_entropy(
                logits.float(), batch.label, ignore_index=-1, reduction="sum"
            ) / len(batch.label)
            total = total + config.names_weight * named
            figures["names"] = named
        return total, figures


def train(run: Run, config: Config, batches: Batches) -> dict[str, float]:
    """Trains encoder and decoder and returns the best validation figures."""
    phase = config.vae
    encoder = run.place(Encoder(config.networks))
    decoder = run.place(Decoder(config.networks))
    if decoder.gray.backbone is not None:
        decoder.gray.backbone.freeze(phase.frozen_blocks)
        if not run.goes_on:
            decoder.gray.backbone.load_imagenet()
    loss = VaeLoss(encoder, decoder, phase, rarity_table(batches, phase.rarity)).to(run.device)
    latent = config.networks.latent_size
    progress = {"share": 0.0}

    def arguments(step: int, num_steps: int) -> tuple[Any, ...]:
        progress["share"] = step / num_steps
        half = progress["share"] < phase.half_until
        batch = batches.train(
            step, phase.batch_size, half=half, part=run.part(phase.batch_size)
        ).to(run.device)
        kl_weight = phase.kl_weight * min(1.0, progress["share"] / max(phase.kl_warmup, 1e-9))
        return run, batch, run.noise(step, phase.batch_size, latent + 1), kl_weight

    def validate() -> dict[str, float]:
        means, errors, base, losses, kls, right, known = [], 0.0, 0.0, 0.0, 0.0, 0, 0
        for batch in (b.to(run.device) for b in batches.validation(32)):
            with run.autocast():
                mean, log_variance = encoder(batch.gray, batch.ab)
                features = decoder.gray(batch.gray)
                unary = decoder.decode(features, mean).float()
                errors += float((unary - batch.ab).abs().mean((1, 2, 3)).sum())
                from_zero = decoder.decode(features, mean * 0).float()
                base += float((from_zero - batch.ab).abs().mean((1, 2, 3)).sum())
                weighted = colour_error(unary, batch.ab, loss.rarity[colour_bins(batch.ab)])
                weighted = weighted + phase.gradient_weight * gradient_error(unary, batch.ab)
                losses += float(weighted) * len(mean)
                if decoder.names is not None:
                    hits = decoder.name_logits(features).argmax(1) == batch.label
                    right += int(hits.sum())
                    known += int((batch.label >= 0).sum())
            kls += float(kl_divergence(mean, log_variance).sum())
            means.append(mean)
        count = sum(len(m) for m in means)
        figures = {"val_mae": errors / count, "val_base_mae": base / count, "val_kl": kls / count}
        figures["active"] = float(num_active(torch.cat(means)))
        if known:
            figures["names_right"] = right / known
        enough = count >= 32 and progress["share"] > max(phase.kl_warmup, 0.2)
        if enough and figures["active"] < phase.min_active:
            raise TrainingError(
                f"vae: the latent collapsed, {figures['active']:.0f} dimensions are active, "
                f"expected at least {phase.min_active}; lower vae.kl_weight"
            )
        # What training makes small: by plain error, paler colours would win.
        figures["score"] = losses / count + phase.kl_weight * figures["val_kl"]
        return figures

    def draw(path: Path) -> None:
        batch = next(batches.validation(12)).to(run.device)
        noise = torch.randn(
            3, len(batch.gray), latent, generator=torch.Generator().manual_seed(0)
        ).to(run.device)
        mean, _ = encoder(batch.gray, batch.ab)
        features = decoder.gray(batch.gray)
        codes = [mean, mean * 0, *noise]
        write_sheet(path, batch.gray, [batch.ab, *(decoder.decode(features, z) for z in codes)])

    models = {"encoder": encoder, "decoder": decoder}
    return fit(
        run,
        phase,
        loss,
        models,
        num_photos=len(batches),
        arguments=arguments,
        validate=validate,
        draw=draw,
    )


if __name__ == "__main__":
    raise SystemExit(run_stage([Stage("vae", train)]))
