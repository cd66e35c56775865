"""The training loop that all stages share: rate, checkpoints, curves, one process or many.

A stage hands `fit` a module whose forward is its loss, and functions that validate and draw. What
the loop writes under RUN: `<stage>.last.pt` (to resume), `<stage>.pt` (best by validation),
`<stage>.csv`, `<stage>.png` (curves) and `<stage>-sheet.png` (samples), each by an atomic rename.
Pictures follow the last validation where validations come faster than they are worth drawing.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from train.curves import draw_curves, read_rows, write_rows
from train.phases import ScheduleConfig
from train.player import BETAS, Player, Rival, alone
from train.progress import progress_bar
from train.run import Run, TrainingError

logger = logging.getLogger(__name__)
SAVE_EVERY = 500  # steps, between validations
VALIDATE_AFTER = 20  # steps at least, within an epoch
DRAW_AFTER = 20.0  # seconds at least, from one pair of pictures to the next


def learning_rate(phase: ScheduleConfig, step: int, num_steps: int) -> float:
    """Returns the rate of one step: linear rise, then a cosine down to 1 % of the peak."""
    rise = max(1, round(phase.warmup * num_steps))
    if step < rise:
        return phase.learning_rate * (step + 1) / rise
    share = (step - rise) / max(1, num_steps - rise)
    return phase.learning_rate * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * share)))


def count_steps(phase: ScheduleConfig, num_photos: int) -> tuple[int, int]:
    """Returns the steps of one epoch and of the whole stage."""
    per_epoch = max(1, num_photos // phase.batch_size)
    return per_epoch, max(1, round(phase.epochs * per_epoch))


def finished(run: Run, phase: ScheduleConfig, num_photos: int) -> dict[str, float] | None:
    """Returns the best figures of a stage that has made all its steps, None for one that has not.

    Raises:
        TrainingError: its last checkpoint was made by another preset or on other photos.
    """
    if not (run.resume and (run.out / f"{run.stage}.last.pt").exists()):
        return None
    checkpoint = _load_last(run, num_photos)
    if checkpoint["step"] < count_steps(phase, num_photos)[1]:
        return None
    best: dict[str, float] = checkpoint["best"]
    return best


def fit(
    run: Run,
    phase: ScheduleConfig,
    loss: nn.Module,
    models: Mapping[str, nn.Module],
    *,
    num_photos: int,
    arguments: Callable[[int, int], tuple[Any, ...]],
    validate: Callable[[], dict[str, float]],
    draw: Callable[[Path], None],
    inherited: Collection[str] = (),
    rivals: Sequence[Rival] = (),
    betas: tuple[float, float] = BETAS,
) -> dict[str, float]:
    """Trains and returns the figures of the best validation.

    Args:
        run: where it happens.
        phase: epochs, batch size, rate.
        loss: forward(*arguments) returns (loss, {name: figure}), means over its photos; those of
            its parameters that ask for gradients are trained.
        models: what a checkpoint holds, by name.
        num_photos: photos in an epoch.
        arguments: (step, num_steps) to what the loss gets.
        validate: figures of the present weights; "score" is the one to make small.
        draw: writes a sample sheet.
        inherited: models that an earlier stage of this run made; never from `run.start_from`.
        rivals: sides that move before `loss` in each step, with the same arguments and, last, the
            number of their move.
        betas: of everyone's Adam.

    Raises:
        TrainingError: the loss is no longer finite, or `validate` found a collapse.
        KeyboardInterrupt: on an interrupt, after the checkpoint was written.
    """
    per_epoch, num_steps = count_steps(phase, num_photos)
    every = min(per_epoch, max(VALIDATE_AFTER, num_steps // 8))  # steps between validations
    player = Player(run, phase, loss, betas)
    others = [Player(run, phase, rival.loss, betas) for rival in rivals]
    optimisers = {"optimiser": player.optimiser} | {
        f"{rival.name} optimiser": other.optimiser
        for rival, other in zip(rivals, others, strict=True)
    }
    start, best = 0, {"score": math.inf}
    running: dict[str, float] = {}
    seconds, began, drawn = 0.0, time.monotonic(), -math.inf
    if run.resume and (run.out / f"{run.stage}.last.pt").exists():
        checkpoint = _load_last(run, num_photos)
        for name, model in models.items():
            run.restore(model, checkpoint, name)
        for name, optimiser in optimisers.items():
            optimiser.load_state_dict(checkpoint[name])
        start, best = checkpoint["step"], checkpoint["best"]
        running = dict(checkpoint.get("running", {}))
        seconds = float(checkpoint.get("seconds", 0.0))
    elif run.start_from and models.keys() - set(inherited):
        checkpoint = run.load(f"{run.stage}.pt", run.start_from)
        for name in models.keys() - set(inherited):
            _load_fitting(models[name], checkpoint[name])
    rows = read_rows(run.out / f"{run.stage}.csv", start) if start else []

    def state() -> dict[str, Any]:
        return {name: model.state_dict() for name, model in models.items()}

    def save_last(done: int) -> None:
        progress = {"step": done, "best": best, "running": running, "num_photos": num_photos}
        progress["seconds"] = seconds + time.monotonic() - began
        memory = {name: optimiser.state_dict() for name, optimiser in optimisers.items()}
        run.save(f"{run.stage}.last.pt", {**state(), **memory, **progress})

    bar = progress_bar(num_steps, run.stage, "step", initial=start, hidden=run.rank > 0)
    with run.stop_on_interrupt(), bar:
        for step in range(start, num_steps):
            rate = learning_rate(phase, step, num_steps)
            given = arguments(step, num_steps)
            figures: dict[str, float] = {}
            for rival, other in zip(rivals, others, strict=True):
                with alone(other, [player, *others]):
                    for number in range(rival.moves):
                        made = other.move(step, rate, (*given, number), {})
                figures |= {f"{rival.name}_{name}": value for name, value in made.items()}
            with alone(player, [player, *others]):
                shared = player.move(step, rate, given, {"stopping": float(run.stopping)})
            stopping = shared.pop("stopping") > 0.0  # all processes stop after the same step
            shared |= figures

            for name, figure in shared.items():
                running[name] = 0.98 * running.get(name, figure) + 0.02 * figure
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
                if not math.isfinite(measured["score"]):
                    raise TrainingError(f"{run.stage}: validation gave {measured} at step {step}")
                if measured["score"] < best["score"]:
                    best = measured
                    run.save(f"{run.stage}.pt", {**state(), "metrics": measured, "step": done})
                if run.rank == 0:
                    rows.append({"step": done, "epoch": done / per_epoch, **running, **measured})
                    write_rows(run.out / run.stage, rows)
                    if done == num_steps or time.monotonic() - drawn >= DRAW_AFTER:
                        draw_curves(run.out / run.stage, rows)
                        with torch.no_grad():
                            draw(run.out / f"{run.stage}-sheet.png")
                        drawn = time.monotonic()
                    text = ", ".join(f"{k} {v:.4g}" for k, v in measured.items())
                    tqdm.write(f"{run.stage} {done}/{num_steps}: {text}")
            if done % every == 0 or done == num_steps or done % SAVE_EVERY == 0 or stopping:
                save_last(done)
            if stopping:
                raise KeyboardInterrupt
        # The next stage reads what the first process wrote, so all wait for it.
        if run.average({"stopping": float(run.stopping)})["stopping"] > 0.0:
            raise KeyboardInterrupt
    return best


def _load_last(run: Run, num_photos: int) -> dict[str, Any]:
    checkpoint = run.load(f"{run.stage}.last.pt")
    run.check_same(checkpoint)
    count = checkpoint.get("num_photos", num_photos)
    if count != num_photos:
        raise TrainingError(
            f"{run.out / run.stage}.last.pt was trained on {count} photos, got {num_photos}"
        )
    return checkpoint


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
