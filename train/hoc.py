"""Stage 1 phase 2: the embedding, learned through the G-CRF, with the decoder's two top layers.

    python -m train.hoc --config train/configs/photos.toml --data PHOTOS.zip --out runs/photos

Everything else is frozen. Two kinds of task share the batches: the paper's, in which the unary of a
falling share of pixels is revealed, and the one that people set, a few patches of true colour.

Source: the paper, sections 3.2 and 4 (reveal schedule).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from huefield import lab
from huefield.gcrf import Kernel, Solver, Weights, open_solver
from huefield.gcrf import similarity as similarity_matrix
from huefield.strokes import Constraints
from train.arguments import Stage, run_stage
from train.batches import Batch, Batches
from train.config import POINTS_SIDE, Config, HocConfig
from train.crf import similarity, solve
from train.loop import fit
from train.losses import UNIT
from train.networks import Decoder, Encoder, Hoc
from train.run import Run
from train.sheet import write_sheet

PATCH = 2  # cells; 7 of 256 pixels on a grid of 64
Floats = npt.NDArray[np.float32]
GRID = (POINTS_SIDE, POINTS_SIDE)  # of the validation photos


class HocLoss(nn.Module):
    """Error of the solved colours, over photos that reveal unary and photos that reveal points."""

    def __init__(self, encoder: Encoder, decoder: Decoder, hoc: Hoc, config: Config) -> None:
        super().__init__()
        self.encoder, self.decoder, self.hoc = encoder, decoder, hoc
        self.config = config

    def forward(
        self, run: Run, batch: Batch, shown: Tensor, by_points: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns the loss and its terms.

        Args:
            run: for its precision.
            batch: the crops.
            shown: (N, 1, h, w), 1 on revealed pixels.
            by_points: (N,), 1 where the photo reveals true colours.
        """
        phase, networks = self.config.hoc, self.config.networks
        with run.autocast():
            with torch.no_grad():
                mean, _ = self.encoder(batch.gray, batch.ab)
            unary = self.decoder(batch.gray, mean).float()
            embedding = self.hoc(batch.gray).flatten(2)
        s = similarity(embedding, networks.kernel, diagonal=networks.diagonal)
        pick = by_points[:, None, None, None]
        target = pick * patch_means(batch.ab, shown) + (1.0 - pick) * unary
        x = solve_revealed(s, target, shown, phase)
        squared = (x - batch.ab).square().mean((1, 2, 3))  # (N,)
        value = (squared + 1e-5).log() if phase.loss == "log" else squared * UNIT**2
        points, reveal = by_points.sum().clamp_min(1.0), (1.0 - by_points).sum().clamp_min(1.0)
        figures = {
            "points_rms": ((squared * by_points).sum() / points).sqrt() * lab.AB_SCALE,
            "reveal_rms": ((squared * (1.0 - by_points)).sum() / reveal).sqrt() * lab.AB_SCALE,
            "mean_spp": s.diagonal(dim1=1, dim2=2).mean(),
        }
        return value.mean(), figures


def solve_revealed(s: Tensor, target: Tensor, shown: Tensor, phase: HocConfig) -> Tensor:
    """Returns the colours (N, 2, h, w) that the G-CRF makes of revealed pixels.

    Rows of S sum to 1, so a constant can be taken off and put back: the weak prior that keeps Q
    regular pulls to the mean revealed colour.

    Args:
        s: (N, P, P).
        target: (N, 2, h, w).
        shown: (N, 1, h, w).
        phase: beta and prior.
    """
    mean = (target * shown).sum((2, 3), keepdim=True) / shown.sum((2, 3), keepdim=True)
    residual = ((target - mean) * shown).flatten(2).transpose(1, 2)  # (N, P, 2)
    weight = phase.beta * shown.flatten(1) + phase.prior  # (N, P)
    # Hidden pixels have residual 0: their weight is the prior's.
    x = solve(s, weight, residual)
    return x.transpose(1, 2).reshape(target.shape) + mean


def patch_means(ab: Tensor, shown: Tensor) -> Tensor:
    """Returns ab with each revealed pixel showing the mean of the revealed pixels around it."""
    total = nn.functional.avg_pool2d(ab * shown, 3, stride=1, padding=1)
    count = nn.functional.avg_pool2d(shown, 3, stride=1, padding=1)
    return total / count.clamp_min(1e-6) * shown


def reveal_share(phase: HocConfig, progress: float) -> float:
    """Returns the share of revealed pixels at a share of the run."""
    return phase.reveal[min(int(progress * len(phase.reveal)), len(phase.reveal) - 1)]


def draw_masks(
    rng: np.random.Generator, size: int, grid: tuple[int, int], phase: HocConfig, progress: float
) -> tuple[Tensor, Tensor]:
    """Returns the pixels that a batch reveals, (N, 1, h, w), and who does it by points, (N,)."""
    height, width = grid
    shown = np.zeros((size, 1, height, width), np.float32)
    by_points = np.zeros(size, np.float32)
    for k in range(size):
        if rng.random() < phase.points_share:
            by_points[k] = 1.0
            count = int(np.exp(rng.uniform(0.0, np.log(phase.max_points + 1))))
            rows, columns = (
                rng.integers(height - PATCH + 1, size=count),
                rng.integers(width - PATCH + 1, size=count),
            )
            for row, column in zip(rows, columns, strict=True):
                shown[k, 0, row : row + PATCH, column : column + PATCH] = 1.0
        else:
            shown[k, 0] = rng.random((height, width)) < reveal_share(phase, progress)
            shown[k, 0, rng.integers(height), rng.integers(width)] = 1.0
    return torch.from_numpy(shown), torch.from_numpy(by_points)


def draw_cells(rng: np.random.Generator, number: int) -> npt.NDArray[np.intp]:
    """Returns the pixels of GRID, flat, that patches at a number of random places reveal."""
    shown = np.zeros(GRID, bool)
    for row, column in rng.integers(POINTS_SIDE - PATCH + 1, size=(number, 2)):
        shown[row : row + PATCH, column : column + PATCH] = True
    return np.flatnonzero(shown)


def open_photo(hoc: Hoc, batch: Batch, config: Config, run: Run) -> tuple[Solver, float]:
    """Returns the solver that serving uses, for one photo (a batch of 1), and its mean S_pp."""
    kernel = Kernel(
        "inner" if config.networks.kernel == "inner" else "distance", config.networks.diagonal
    )
    weights = Weights(beta_prior=config.hoc.prior, beta_edit=config.hoc.beta)
    with run.autocast():
        embedding = hoc(batch.gray).flatten(2)[0].cpu().numpy()
    mean_spp = float(np.diagonal(similarity_matrix(embedding, kernel)).mean())
    return open_solver(embedding, kernel, weights), mean_spp


def solve_cells(solver: Solver, ab: Floats, cells: npt.NDArray[np.intp]) -> Floats:
    """Returns the colours (P, 2) that the G-CRF makes of the true colours ab (P, 2) of cells."""
    mean = ab[cells].mean(axis=0)
    wanted = Constraints.of_cells(cells, ab[cells] - mean, len(ab))
    field: Floats = solver.correct(np.zeros((1, *ab.shape), np.float32), wanted)[0]
    return np.asarray(field + mean, np.float32)


def points_psnr(
    hoc: Hoc, batches: Batches, config: Config, run: Run, num_photos: int
) -> dict[str, float]:
    """Returns the RGB PSNR on the grid at 10, 50 and 100 revealed points, and mean S_pp."""
    figures = {"val_psnr_10": 0.0, "val_psnr_50": 0.0, "val_psnr_100": 0.0}
    spp, count = 0.0, 0
    for batch in (b.to(run.device) for b in batches.validation(1, grid=GRID, limit=num_photos)):
        solver, mean_spp = open_photo(hoc, batch, config, run)
        spp += mean_spp
        ab = batch.ab.flatten(2)[0].T.cpu().numpy()  # (P, 2)
        truth = _rgb(batch.gray, ab)
        for number in (10, 50, 100):
            rng = np.random.default_rng([config.seed, count, number])
            x = solve_cells(solver, ab, draw_cells(rng, number))
            error = np.mean((_rgb(batch.gray, x) - truth) ** 2)
            figures[f"val_psnr_{number}"] += float(-10.0 * np.log10(error + 1e-12))
        count += 1
    return {name: value / count for name, value in figures.items()} | {"val_spp": spp / count}


def _rgb(gray: Tensor, ab: Floats) -> Floats:
    lightness = gray.flatten().cpu().numpy()[:, None] * lab.L_SCALE + lab.L_CENTER
    return lab.lab_to_rgb(np.concatenate([lightness, ab * lab.AB_SCALE], axis=1))


def train(run: Run, config: Config, batches: Batches) -> dict[str, float]:
    """Trains HOC and the decoder's top and returns the best validation figures."""
    phase = config.hoc
    checkpoint = run.load("vae.pt")
    encoder = run.place(Encoder(config.networks))
    decoder = run.place(Decoder(config.networks))
    hoc = run.place(Hoc(config.networks))
    run.restore(encoder, checkpoint, "encoder")
    run.restore(decoder, checkpoint, "decoder")
    encoder.requires_grad_(False)
    decoder.requires_grad_(False)
    for parameter in decoder.top():
        parameter.requires_grad_(phase.train_top)
    loss = HocLoss(encoder, decoder, hoc, config)
    crop = (phase.crop, phase.crop)

    def arguments(step: int, num_steps: int) -> tuple[Any, ...]:
        part = run.part(phase.batch_size)
        batch = batches.train(step, phase.batch_size, grid=crop, part=part).to(run.device)
        rng = np.random.default_rng([config.seed, 7, step])
        shown, by_points = draw_masks(rng, phase.batch_size, crop, phase, step / num_steps)
        return run, batch, shown[part].to(run.device), by_points[part].to(run.device)

    def validate() -> dict[str, float]:
        figures = points_psnr(hoc, batches, config, run, 16)
        return figures | {
            "score": -(figures["val_psnr_10"] + figures["val_psnr_50"] + figures["val_psnr_100"])
            / 3
        }

    def draw(path: Path) -> None:
        batch = next(batches.validation(8, grid=GRID)).to(run.device)
        rows: list[list[Tensor]] = []
        for photo in batch.split():
            solver, _ = open_photo(hoc, photo, config, run)
            ab = photo.ab.flatten(2)[0].T.cpu().numpy()  # (P, 2)
            fields = [ab]
            for number in (10, 50):
                cells = draw_cells(np.random.default_rng([config.seed, number]), number)
                shown = np.zeros_like(ab)
                shown[cells] = ab[cells]
                fields += [shown, solve_cells(solver, ab, cells)]
            rows.append([torch.from_numpy(field.T.reshape(2, *GRID)) for field in fields])
        write_sheet(path, batch.gray, [torch.stack(column) for column in zip(*rows, strict=True)])

    models = {"decoder": decoder, "hoc": hoc}
    return fit(
        run,
        phase,
        loss,
        models,
        num_photos=len(batches),
        arguments=arguments,
        validate=validate,
        draw=draw,
        inherited=("decoder",),
    )


if __name__ == "__main__":
    raise SystemExit(run_stage([Stage("hoc", train)]))
