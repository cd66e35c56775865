"""The networks as ONNX Runtime sessions: decoder, HOC, MDN and perhaps hints of a model folder.

No torch is needed to run them. `colorizer` calls them, `webapp` and `cli` load them; sessions must
be made after a fork, for neither CUDA nor a thread pool survives one.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from huefield import lab
from huefield.baseline_info import is_baseline
from huefield.model_info import (
    HINTS_FILE,
    MODEL_FILE,
    GcrfSettings,
    KernelSettings,
    LabScaling,
    ModelError,
    ModelInfo,
    read_model_info,
)

if TYPE_CHECKING:
    import onnxruntime

__all__ = [
    "CPU_PROVIDER",
    "GcrfSettings",
    "KernelSettings",
    "LabScaling",
    "MissingGpuError",
    "ModelError",
    "ModelInfo",
    "Networks",
    "Provider",
    "default_models_root",
    "list_models",
    "load_model",
    "model_folders",
    "open_session",
    "verified_graphs",
    "verify_model",
]

Provider = Literal["auto", "cpu", "cuda"]
Floats = NDArray[np.float32]

CPU_PROVIDER = "CPUExecutionProvider"
CUDA_PROVIDER = "CUDAExecutionProvider"
# Heuristic search: dynamic shapes would repeat cuDNN's exhaustive one for each new grid.
# No TF32: it rounds to 10 bits, and results would differ from the CPU's in the third digit.
_CUDA_OPTIONS = {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}

_log = logging.getLogger(__name__)


class MissingGpuError(RuntimeError):
    """A CUDA GPU was required and there is none that the networks could run on."""


class Networks:
    """The networks of one model, ready to run; safe to call from several threads.

    Attributes:
        info: what `model.json` says.
        provider: the ONNX Runtime provider that all of them really run on.
    """

    def __init__(self, info: ModelInfo, sessions: dict[str, onnxruntime.InferenceSession]) -> None:
        self.info = info
        self._decoder = sessions["decoder.onnx"]
        self._hoc = sessions["hoc.onnx"]
        self._mdn = sessions["mdn.onnx"]
        self._hints = sessions.get(HINTS_FILE)
        on_cuda = all(s.get_providers()[0] == CUDA_PROVIDER for s in sessions.values())
        self.provider = CUDA_PROVIDER if on_cuda else CPU_PROVIDER

    def decode(self, gray: Floats, z: Floats) -> Floats:
        """The unary alpha of each latent code: (n, 2, h, w) float32, ab / 128.

        Args:
            gray: (h, w) float32, scaled; sides multiples of `info.multiple`.
            z: (n, latent_size) float32.
        """
        (unary,) = self._decoder.run(
            ["unary"], {"gray": gray[None, None], "z": np.ascontiguousarray(z, np.float32)}
        )
        return np.asarray(unary)

    def embed(self, gray: Floats) -> Floats:
        """The embedding A of a photo: (D, h, w) float32, from gray (h, w), scaled."""
        (embedding,) = self._hoc.run(["embedding"], {"gray": gray[None, None]})
        return np.asarray(embedding[0])

    def mixture(self, gray: Floats) -> tuple[Floats, Floats]:
        """Shares pi (M,) and means mu (M, latent_size) of the mixture, from gray (h, w), scaled."""
        pi, mu = self._mdn.run(["pi", "mu"], {"gray": gray[None, None]})
        return np.asarray(pi[0]), np.asarray(mu[0])

    @property
    def has_hints(self) -> bool:
        """Whether the model has a hints network."""
        return self._hints is not None

    def hinted(self, gray: Floats, hints: Floats) -> Floats:
        """Expected colours under hints: (n, 2, h, w) float32, ab / 128.

        Args:
            gray: (h, w) float32, scaled.
            hints: (n, 3, h, w) float32: ab / 128 where it is known, else 0; the share known.

        Raises:
            ModelError: the model has no hints network.
        """
        if self._hints is None:
            raise ModelError(f"model {self.info.name!r} has no hints network ({HINTS_FILE})")
        (colours,) = self._hints.run(["colours"], {"gray": gray[None, None], "hints": hints})
        return np.asarray(colours)


def default_models_root() -> Path:
    """The folder of model folders: `HUEFIELD_MODELS`, else `models/` beside this package."""
    named = os.environ.get("HUEFIELD_MODELS")
    return Path(named) if named else Path(__file__).resolve().parents[1] / "models"


def model_folders(root: Path) -> list[Path]:
    """The folders below `root` that have a `model.json` of one of our models, by name."""
    folders = sorted(path.parent for path in root.glob(f"*/{MODEL_FILE}"))
    return [folder for folder in folders if not is_baseline(folder)]


def list_models(root: Path) -> list[ModelInfo]:
    """What each model folder below `root` says of itself, by name; graphs are not read.

    Raises:
        ModelError: a `model.json` is broken.
    """
    return [read_model_info(folder) for folder in model_folders(root)]


def verify_model(folder: Path) -> ModelInfo:
    """What a model folder says of itself, after each graph's checksum was compared.

    Raises:
        ModelError: `model.json` is broken, or a graph is missing or differs.
    """
    info = read_model_info(folder)
    for _name, _graph in verified_graphs(folder, info.graph_files, info.sha256):
        pass
    return info


def load_model(
    folder: Path | str, provider: Provider = "auto", *, threads: int | None = None
) -> Networks:
    """The networks of a model folder, on the GPU where there is one.

    Args:
        folder: folder with `model.json` and the graphs that it names.
        provider: "auto" takes CUDA where it works and says so where it does not; "cpu" never asks;
            "cuda" insists.
        threads: threads inside one operator on the CPU; by default one a processor, at most 8.

    Raises:
        ModelError: the folder is incomplete, altered, or made for another Lab scaling.
        MissingGpuError: no usable GPU, and "cuda" was asked for or `HUEFIELD_REQUIRE_GPU=1` is set.
    """
    folder = Path(folder)
    info = read_model_info(folder)
    ours = LabScaling(lab.L_CENTER, lab.L_SCALE, lab.AB_SCALE)
    if info.lab != ours:
        raise ModelError(f"{folder / MODEL_FILE}: key 'lab': expected {ours}, got {info.lab}")
    required = provider == "cuda" or os.environ.get("HUEFIELD_REQUIRE_GPU") == "1"
    reason = "the provider 'cpu' was asked for" if provider == "cpu" else _no_cuda_reason()
    if reason and required:
        raise MissingGpuError(f"a GPU is required, but {reason}")
    if reason and provider == "auto":
        _say_once(f"networks run on the CPU: {reason}")
    sessions = {
        name: open_session(folder / name, graph, cuda=not reason, threads=threads)
        for name, graph in verified_graphs(folder, info.graph_files, info.sha256)
    }
    networks = Networks(info, sessions)
    if not reason and networks.provider != CUDA_PROVIDER:
        fallen = "ONNX Runtime found a CUDA GPU but could not start its CUDA provider on it"
        if required:
            raise MissingGpuError(f"a GPU is required, but {fallen}")
        _say_once(f"networks run on the CPU: {fallen}")
    return networks


def verified_graphs(
    folder: Path, files: Iterable[str], sha256: Mapping[str, str]
) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each graph, its checksum compared with `model.json`.

    Raises:
        ModelError: a graph is missing or differs.
    """
    for name in files:
        path = folder / name
        try:
            graph = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
        got = hashlib.sha256(graph).hexdigest()
        if got != sha256[name]:
            raise ModelError(f"{path}: SHA-256 differs: expected {sha256[name]}, got {got}")
        yield name, graph


def open_session(
    path: Path, graph: bytes, *, cuda: bool, threads: int | None
) -> onnxruntime.InferenceSession:
    """A session for one verified graph.

    Raises:
        ModelError: ONNX Runtime refuses it.
    """
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as errors

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or min(8, _num_processors())
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    # Waiting threads sleep: the solver's BLAS needs the processors as soon as a network is done.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers: list[Any] = [(CUDA_PROVIDER, _CUDA_OPTIONS)] if cuda else []
    try:
        return onnxruntime.InferenceSession(graph, options, [*providers, CPU_PROVIDER])
    except (
        errors.Fail,
        errors.InvalidGraph,
        errors.InvalidArgument,
        errors.InvalidProtobuf,
        errors.NotImplemented,
        errors.RuntimeException,
    ) as error:
        raise ModelError(f"{path}: ONNX Runtime refuses this graph: {error}") from error


def _num_processors() -> int:
    """Number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _no_cuda_reason() -> str:
    """Why CUDA cannot be used, in words; empty where it can be tried, its libraries then loaded."""
    if sys.platform.startswith("linux") and not _has_nvidia_device():
        return "this machine has no CUDA GPU"
    torch_has_cuda = False
    if importlib.util.find_spec("torch") is not None:
        import torch  # before onnxruntime: its CUDA libraries are then found loaded

        torch_has_cuda = torch.version.cuda is not None
    import onnxruntime

    if CUDA_PROVIDER not in onnxruntime.get_available_providers():
        return "the installed ONNX Runtime has no CUDA provider"
    if not torch_has_cuda and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()
    return ""


def _has_nvidia_device() -> bool:
    """Whether Linux shows an NVIDIA GPU: a device node of its driver, or WSL's."""
    devices = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg")
    return any(Path(device).exists() for device in devices)


@functools.cache
def _say_once(text: str) -> None:
    """Warns, once in a process for each text."""
    _log.warning(text)
