"""One stage of one run: its folder, device, processes and checkpoints. Called by the stages."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import pickle
import signal
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from train.config import Config, config_to_dict

Module = TypeVar("Module", bound=nn.Module)
Result = TypeVar("Result")
PATIENCE = dt.timedelta(hours=6)  # the first process may decode a hundred thousand photos


class TrainingError(RuntimeError):
    """A run that cannot go on: NaN, a collapsed latent, a checkpoint of another run."""


@contextlib.contextmanager
def processes() -> Iterator[None]:
    """Joins the processes that torchrun started, if it did, and parts from them at the end."""
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        yield
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)
    try:
        yield
    finally:
        dist.destroy_process_group()


def is_first() -> bool:
    """Returns whether this is the process that writes and reports."""
    return not dist.is_initialized() or dist.get_rank() == 0


def first_alone(make: Callable[[], Result]) -> Result:
    """Returns what `make` returns; the first process calls it before the others do."""
    if not dist.is_initialized():
        return make()
    if is_first():
        try:
            return make()
        finally:
            dist.barrier()
    dist.barrier()
    return make()


class Run:
    """One stage of one run.

    Args:
        out: the run's folder, made where it is missing.
        stage: "vae", "hoc" or "mdn".
        config: what the checkpoints will carry.
        resume: go on from the stage's last checkpoint, if there is one.
        start_from: another run's folder, whose weights a new stage begins with.
    """

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
        if dist.is_initialized():
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

    @property
    def goes_on(self) -> bool:
        """Whether the stage begins with weights of its own or of another run."""
        last = self.out / f"{self.stage}.last.pt"
        return self.start_from is not None or (self.resume and last.exists())

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

    def place(self, module: Module) -> Module:
        """Returns the module on this process's device, its kernels with channels last."""
        module.to(self.device)
        for parameter in module.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.to(memory_format=torch.channels_last)
        return module

    def autocast(self) -> torch.autocast:
        """Returns the context for the forward pass: bfloat16 where it helps."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.half)

    def noise(self, step: int, *shape: int) -> Tensor:
        """Returns standard normal noise (N, ...), N the whole batch, of which each takes its part.

        It is the same for one process or many.
        """
        # A torch generator looks at 32 bits of its seed alone.
        mixed = np.random.SeedSequence([self.config.seed, step]).generate_state(1)[0]
        generator = torch.Generator().manual_seed(int(mixed))
        return torch.randn(*shape, generator=generator)[self.part(shape[0])].to(self.device)

    def average(self, figures: Mapping[str, Tensor | float]) -> dict[str, float]:
        """Returns the mean of each figure over the processes; all wait for each other here."""
        mean = {
            name: float(figure.detach() if isinstance(figure, Tensor) else figure)
            for name, figure in figures.items()
        }
        if self.world == 1:
            return mean
        total = torch.tensor(list(mean.values()), dtype=torch.float64, device=self.device)
        dist.all_reduce(total)
        return dict(zip(mean, (total / self.world).tolist(), strict=True))

    def load(self, name: str, folder: Path | None = None) -> dict[str, Any]:
        """Returns a checkpoint of this run, or of the run in another folder.

        Raises:
            TrainingError: it is not there, or is no checkpoint.
        """
        path = (folder or self.out) / name
        if not path.exists():
            raise TrainingError(f"expected the checkpoint {path}; train its stage first")
        return read_checkpoint(path)

    def restore(self, module: nn.Module, checkpoint: Mapping[str, Any], name: str) -> None:
        """Loads one network's weights.

        Raises:
            TrainingError: the checkpoint was made with other sizes.
        """
        try:
            module.load_state_dict(checkpoint[name])
        except (KeyError, RuntimeError) as error:
            raise TrainingError(
                f"the {name} in {self.out} was made by another preset, its sizes do not fit"
            ) from error

    def check_same(self, checkpoint: Mapping[str, Any]) -> None:
        """Refuses a checkpoint of this stage whose preset differs in what this stage depends on.

        Raises:
            TrainingError: with the keys that differ.
        """
        # A key that came or went since then counts only in what this stage depends on.
        theirs = _flat(config_to_dict(Config())) | _flat(checkpoint["config"])
        ours = _flat(config_to_dict(self.config))
        parts = ("seed", "bfloat16", "data", "networks", self.stage)
        differing = [
            f"{key} {theirs.get(key)} there and {ours.get(key)} here"
            for key in sorted(theirs.keys() | ours.keys())
            if key.partition(".")[0] in parts and theirs.get(key) != ours.get(key)
        ]
        if differing:
            raise TrainingError(
                f"{self.out / self.stage}.last.pt was made by another preset: "
                + ", ".join(differing)
            )

    def save(self, name: str, content: Mapping[str, Any]) -> None:
        """Writes a checkpoint atomically; only the first process writes."""
        if self.rank:
            return
        about = {"stage": self.stage, "config": config_to_dict(self.config)}
        write_checkpoint(self.out / name, about | dict(content))

    @contextlib.contextmanager
    def stop_on_interrupt(self) -> Iterator[None]:
        """Makes the first interrupt set `stopping`, so that a checkpoint can be written.

        A second one stops at once.
        """

        def stop(number: int, frame: types.FrameType | None) -> None:
            if self.stopping:
                raise KeyboardInterrupt
            self.stopping = True

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Reads a checkpoint; only tensors and plain values are unpickled.

    Raises:
        TrainingError: it is none, or a damaged one.
        OSError: it cannot be read.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, LookupError, pickle.UnpicklingError) as error:
        raise TrainingError(f"{path} is no checkpoint, or a damaged one") from error
    if not isinstance(checkpoint, dict) or not {"stage", "config"} <= checkpoint.keys():
        raise TrainingError(f"{path} is no checkpoint of a stage")
    return checkpoint


def write_checkpoint(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a checkpoint as a whole or not at all.

    Raises:
        OSError: it cannot be written; what was at the path is still there.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as out:  # a file of Python's own says why it is full
            torch.save(dict(content), out)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _has_matrix_units(device: torch.device) -> bool:
    # With avx512_bf16 or AMX the VAE trained 1.6 times faster than in float32; with neither, on
    # another AVX-512 processor, at half its speed.
    able = torch.cpu.get_capabilities()
    return device.type == "cuda" or any(able.get(k, False) for k in ("amx_tile", "avx512_bf16"))


def _flat(values: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{place}{key}.") if isinstance(value, dict) else {place + key: value}
    return flat
