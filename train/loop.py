"""The training loop that all stages share: rate, checkpoints, curves, progress, one process or many.

A stage hands `fit` a module whose forward is its loss, and functions that validate and draw. What the
loop writes under RUN: `<stage>.last.pt` (to resume), `<stage>.pt` (best by validation), `<stage>.csv`,
`<stage>.png` (curves) and `<stage>-sheet.png` (samples), each by an atomic rename.
"""

from __future__ import annotations

import contextlib
import csv
import logging
import math
import os
import signal
import types
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from train.config import Config, PhaseConfig, config_to_dict

logger = logging.getLogger(__name__)


class TrainingError(RuntimeError):
    """A run that cannot go on: NaN, a collapsed latent, a checkpoint of another run."""


class Run:
    """One stage of one run: its folder, device, process group and checkpoints."""

    def __init__(
        self,
        out: Path,
        stage: str,
        config: Config,
        *,
        resume: bool = False,
        start_from: Path | None = None,
    ) -> None:
        self.out, self.stage, self.config, self.resume = out, stage, config, resume
        self.start_from = start_from
        self.rank, self.world = 0, 1
        if "RANK" in os.environ and "WORLD_SIZE" in os.environ:
            if not dist.is_initialized():
                dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
            self.rank, self.world = dist.get_rank(), dist.get_world_size()
        if torch.cuda.is_available():
            self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        else:
            self.device = torch.device("cpu")
        if config.threads:
            torch.set_num_threads(config.threads)
        self.half = config.bfloat16 == "on" or (
            config.bfloat16 == "auto" and _has_matrix_units(self.device)
        )
        torch.manual_seed(config.seed)
        out.mkdir(parents=True, exist_ok=True)
        self.stopping = False

    def part(self, size: int) -> slice:
        """Returns which photos of a batch of `size` this process takes.

        Raises:
            TrainingError: the batch cannot be shared out evenly.
        """
        if size % self.world:
            raise TrainingError(
                f"expected a batch size that {self.world} processes can share, got {size}"
            )
        each = size // self.world
        return slice(self.rank * each, (self.rank + 1) * each)

    def autocast(self) -> torch.autocast:
        """Returns the context for the forward pass: bfloat16 where it helps."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.half)

    def noise(self, step: int, *shape: int) -> Tensor:
        """Returns standard normal noise (N, ...), the same for one process or many; N is the whole batch."""
        generator = torch.Generator().manual_seed((self.config.seed << 32) + step)
        return torch.randn(*shape, generator=generator)[self.part(shape[0])].to(self.device)

    def load(self, name: str, folder: Path | None = None) -> dict[str, Any]:
        """Returns a checkpoint of this run, or of the run in another folder.

        Raises:
            TrainingError: it is not there.
        """
        path = (folder or self.out) / name
        if not path.exists():
            raise TrainingError(f"expected the checkpoint {path}; train its stage first")
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return checkpoint

    def save(self, name: str, content: Mapping[str, Any]) -> None:
        """Writes a checkpoint atomically; only the first process writes."""
        if self.rank:
            return
        temporary = self.out / f".{name}.tmp"
        torch.save(
            {"stage": self.stage, "config": config_to_dict(self.config), **content}, temporary
        )
        temporary.replace(self.out / name)


def _has_matrix_units(device: torch.device) -> bool:
    # Without AMX, bfloat16 convolutions ran at half the speed of float32 on an AVX-512 processor.
    return device.type == "cuda" or torch.cpu._is_amx_tile_supported()


def learning_rate(phase: PhaseConfig, step: int, num_steps: int) -> float:
    """Returns the rate of one step: linear rise, then a cosine down to 1 % of the peak."""
    rise = max(1, round(phase.warmup * num_steps))
    if step < rise:
        return phase.learning_rate * (step + 1) / rise
    share = (step - rise) / max(1, num_steps - rise)
    return phase.learning_rate * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * share)))


def fit(
    run: Run,
    phase: PhaseConfig,
    loss: nn.Module,
    models: Mapping[str, nn.Module],
    *,
    num_photos: int,
    arguments: Callable[[int, int], tuple[Any, ...]],
    validate: Callable[[], dict[str, float]],
    draw: Callable[[Path], None],
    inherited: Collection[str] = (),
) -> dict[str, float]:
    """Trains and returns the figures of the best validation.

    Args:
        run: where it happens.
        phase: epochs, batch size, rate.
        loss: forward(*arguments) returns (loss, {name: figure}); its parameters that ask for gradients are trained.
        models: what a checkpoint holds, by name.
        num_photos: photos in an epoch.
        arguments: (step, num_steps) to what the loss gets.
        validate: figures of the present weights; "score" is the one to make small.
        draw: writes a sample sheet.
        inherited: models that an earlier stage of this run made: `--start-from` leaves them.

    Raises:
        TrainingError: the loss is no longer finite, or `validate` found a collapse.
    """
    per_epoch = max(1, num_photos // phase.batch_size)
    num_steps = max(1, round(phase.epochs * per_epoch))
    every = min(per_epoch, max(1, num_steps // 8))  # steps between validations
    parameters = [p for p in loss.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(
        parameters, lr=phase.learning_rate, betas=(0.9, 0.98), weight_decay=1e-3
    )
    start, best = 0, {"score": math.inf}
    last, log = f"{run.stage}.last.pt", run.out / f"{run.stage}.csv"

    if run.resume and (run.out / last).exists():
        checkpoint = run.load(last)
        if checkpoint["config"] != config_to_dict(run.config):
            raise TrainingError(
                f"{run.out / last} was made by another preset; expected the same one to resume"
            )
        for name, model in models.items():
            model.load_state_dict(checkpoint[name])
        optimiser.load_state_dict(checkpoint["optimiser"])
        start, best = checkpoint["step"], checkpoint["best"]
    else:
        if run.start_from:
            checkpoint = run.load(f"{run.stage}.pt", run.start_from)
            for name, model in models.items():
                if name not in inherited:
                    _load_fitting(model, checkpoint[name])
        if run.rank == 0:
            log.unlink(missing_ok=True)

    def state() -> dict[str, Any]:
        return {name: model.state_dict() for name, model in models.items()}

    wrapped = DistributedDataParallel(loss, find_unused_parameters=True) if run.world > 1 else loss
    running: dict[str, float] = {}
    with (
        _stop_on_interrupt(run),
        tqdm(
            total=num_steps,
            initial=start,
            desc=run.stage,
            unit="step",
            disable=run.rank > 0,
            mininterval=2.0,
        ) as bar,
    ):
        for step in range(start, num_steps):
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(phase, step, num_steps)
            loss.train()
            value, figures = wrapped(*arguments(step, num_steps))
            if not math.isfinite(float(value)):
                raise TrainingError(
                    f"{run.stage}: the loss became {float(value)} at step {step}; lower learning_rate"
                )
            optimiser.zero_grad(set_to_none=True)
            value.backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()

            for name, figure in {"loss": value, **figures}.items():
                running[name] = 0.98 * running.get(name, float(figure)) + 0.02 * float(figure)
            bar.update()
            if step % 20 == 0:
                bar.set_postfix(
                    {name: f"{figure:.4g}" for name, figure in running.items()}, refresh=False
                )
            done = step + 1
            if done % every == 0 or done == num_steps:
                loss.eval()
                with torch.no_grad():
                    measured = validate()
                if measured["score"] < best["score"]:
                    best = measured
                    run.save(f"{run.stage}.pt", {**state(), "metrics": measured, "step": done})
                if run.rank == 0:
                    _append(log, {"step": done, "epoch": done / per_epoch, **running, **measured})
                    _plot(log, run.out / f"{run.stage}.png")
                    with torch.no_grad():
                        draw(run.out / f"{run.stage}-sheet.png")
                    tqdm.write(
                        f"{run.stage} {done}/{num_steps}: "
                        + ", ".join(f"{k} {v:.4g}" for k, v in measured.items())
                    )
            if done % every == 0 or done == num_steps or done % 500 == 0 or run.stopping:
                run.save(
                    last,
                    {**state(), "optimiser": optimiser.state_dict(), "step": done, "best": best},
                )
            if run.stopping:
                raise KeyboardInterrupt
    return best


def _load_fitting(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Loads what has the model's shapes; a head of another size stays as it was made."""
    own = model.state_dict()
    fitting = {
        name: value
        for name, value in weights.items()
        if name in own and own[name].shape == value.shape
    }
    for name in sorted(own.keys() - fitting.keys()):
        logger.info("not taken over, other shape: %s", name)
    model.load_state_dict(fitting, strict=False)


@contextlib.contextmanager
def _stop_on_interrupt(run: Run) -> Iterator[None]:
    """Ends the loop after the step under way; the checkpoint is then written and the run can be resumed."""

    def stop(number: int, frame: types.FrameType | None) -> None:
        run.stopping = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _append(path: Path, row: Mapping[str, float]) -> None:
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(row))
        if new:
            writer.writeheader()
        writer.writerow({k: f"{v:.6g}" for k, v in row.items()})


def _plot(log: Path, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with log.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    names = [name for name in rows[0] if name not in ("step", "epoch")]
    columns = 4
    figure, axes = pyplot.subplots(
        -(-len(names) // columns), columns, figsize=(14, 2.6 * -(-len(names) // columns))
    )
    for axis, name in zip(axes.flat, names, strict=False):
        axis.plot([float(r["epoch"]) for r in rows], [float(r[name]) for r in rows], marker=".")
        axis.set_title(name)
    figure.tight_layout()
    temporary = path.with_suffix(".tmp.png")
    figure.savefig(temporary, dpi=70)
    pyplot.close(figure)
    temporary.replace(path)
