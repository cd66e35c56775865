"""What a model folder says of itself: `model.json`, parsed strictly.

`networks` reads it beside the graphs, `export` writes it, the web app and `huefield models` show
it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MODEL_FILE = "model.json"
GRAPH_FILES = ("decoder.onnx", "hoc.onnx", "mdn.onnx")
HINTS_FILE = "hints.onnx"  # a model may have it
FORMAT = 1

_T = TypeVar("_T")


class ModelError(ValueError):
    """A model folder that cannot be used; the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class LabScaling:
    """How the networks see colour: gray = (L - l_center) / l_scale, network ab = ab / ab_scale."""

    l_center: float
    l_scale: float
    ab_scale: float


@dataclass(frozen=True)
class KernelSettings:
    """How S is made of the embedding: see `huefield.gcrf.Kernel`."""

    kind: Literal["distance", "inner"]
    diagonal: bool


@dataclass(frozen=True)
class GcrfSettings:
    """Weights of the G-CRF that suit this model: see `huefield.gcrf.Weights`."""

    beta: float
    beta_prior: float
    beta_edit: float
    gamma: float
    ridge: float = 1e-4


@dataclass(frozen=True)
class ModelInfo:
    """The contents of `model.json`.

    Attributes:
        name: name of the model, and of its folder.
        grid_area: about how many cells the working grid has, h * w.
        multiple: both sides of the grid are multiples of this.
        embedding_size: D, rows of the embedding A.
        num_components: M, components of the mixture.
        sigma: deviation of each component in the latent space, as samples are drawn.
        latent_size: numbers in one z.
        lab: scaling of the networks' inputs and outputs.
        opset: ONNX operator set of the graphs.
        sha256: hexadecimal SHA-256 of each graph, by file name.
        kernel: how S is made of the embedding.
        gcrf: weights of the energy's terms.
        description: one sentence for people, what the model was trained on.
        chroma_gain: factor on the unary's chroma, 1 for none.
        hints_for_strokes: whether painted strokes, too, change samples by what the hints network
            expects; false where it knows true colours alone.
        score: how good the model is, higher is better; None where nobody measured it.
        training: configuration of the run, by stage.
        parity: largest differences between ONNX and torch, by graph.
        metrics: what the run measured, by stage.
    """

    name: str
    grid_area: int
    multiple: int
    embedding_size: int
    num_components: int
    sigma: float
    latent_size: int
    lab: LabScaling
    opset: int
    sha256: Mapping[str, str]
    kernel: KernelSettings
    gcrf: GcrfSettings
    description: str = ""
    chroma_gain: float = 1.0
    hints_for_strokes: bool = False
    score: float | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    parity: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)

    @property
    def graph_files(self) -> tuple[str, ...]:
        """The graphs that the folder holds: the three, and the hints network where there is one."""
        return GRAPH_FILES + ((HINTS_FILE,) if HINTS_FILE in self.sha256 else ())


def read_model_info(folder: Path) -> ModelInfo:
    """The parsed `model.json` of a model folder.

    Raises:
        ModelError: the file is missing, is no JSON, or has unknown, missing or ill-typed keys.
    """
    return read_info(folder, parse_model_info)


def read_info(folder: Path, parse: Callable[[object], _T]) -> _T:
    """What `parse` makes of a folder's `model.json`, the file named in its errors.

    Raises:
        ModelError: the file is missing, is no JSON, or `parse` refuses it.
    """
    data = read_model_json(folder)
    try:
        return parse(data)
    except ModelError as error:
        raise ModelError(f"{folder / MODEL_FILE}: {error}") from None


def read_model_json(folder: Path) -> object:
    """What the JSON of a folder's `model.json` says, of whatever kind of model.

    Raises:
        ModelError: the file is missing or is no JSON.
    """
    path = folder / MODEL_FILE
    try:
        data: object = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path}: no such file, so {folder} is no model folder") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path}: cannot be read as JSON: {error}") from error
    return data


def parse_model_info(data: object) -> ModelInfo:
    """A `ModelInfo` of parsed JSON.

    Raises:
        ModelError: naming the key that is unknown, missing or of the wrong type.
    """
    if isinstance(data, Mapping) and "method" in data:
        raise ModelError(f"key 'method': this is the baseline {data['method']!r}, no model of ours")
    info = parse_object(ModelInfo, data)
    missing = [name for name in GRAPH_FILES if name not in info.sha256]
    if missing:
        raise ModelError(f"key 'sha256': no entry for {', '.join(missing)}")
    positive = ("grid_area", "multiple", "embedding_size", "num_components", "latent_size")
    for name in positive:
        if getattr(info, name) < 1:
            raise ModelError(f"key '{name}': expected at least 1, got {getattr(info, name)}")
    return info


def info_json(info: DataclassInstance) -> str:
    """The text of `model.json`, of whatever kind of model."""
    values = {"format": FORMAT, **asdict(info)}
    return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def parse_object(cls: type[_T], data: object) -> _T:
    """A dataclass of the JSON object that `model.json` holds, its format and keys checked.

    Raises:
        ModelError: naming the key that is unknown, missing or of the wrong type.
    """
    if not isinstance(data, Mapping):
        raise ModelError(f"expected an object, got {type(data).__name__}")
    values = dict(data)
    version = values.pop("format", None)
    if version != FORMAT:
        raise ModelError(f"key 'format': expected {FORMAT}, got {version!r}")
    return _parse(cls, values, "")


def _parse(cls: type[_T], data: object, place: str) -> _T:
    """A dataclass of a JSON object, its keys and types checked, `place` in front of key names."""
    if not is_dataclass(cls):
        raise TypeError(f"{cls.__name__} is no dataclass")
    if not isinstance(data, Mapping):
        raise ModelError(f"key '{place}': expected an object, got {_say(data)}")
    hints = get_type_hints(cls)
    known = {f.name: f for f in fields(cls)}
    where = f"{place}." if place else ""
    unknown = sorted(str(key) for key in data if key not in known)
    if unknown:
        raise ModelError(f"unknown key '{where}{unknown[0]}'; known: {', '.join(known)}")
    values = {}
    for name, entry in known.items():
        if name in data:
            values[name] = _value(hints[name], data[name], where + name)
        elif entry.default is MISSING and entry.default_factory is MISSING:
            raise ModelError(f"missing key '{where}{name}'")
    return cls(**values)


def _value(hint: Any, value: object, place: str) -> object:
    """A JSON value as the annotated type wants it, or a `ModelError`."""
    if is_dataclass(hint) and isinstance(hint, type):
        return _parse(hint, value, place)
    origin = get_origin(hint)
    if origin is Literal:
        if value in get_args(hint):
            return value
        wanted = " or ".join(repr(choice) for choice in get_args(hint))
        raise ModelError(f"key '{place}': expected {wanted}, got {value!r}")
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise ModelError(f"key '{place}': expected an object, got {_say(value)}")
        of = get_args(hint)[1]
        return {k: v if of is Any else _value(of, v, f"{place}.{k}") for k, v in value.items()}
    if type(None) in get_args(hint):  # X | None
        return None if value is None else _value(get_args(hint)[0], value, place)
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        if math.isfinite(value):
            return float(value)
        raise ModelError(f"key '{place}': expected a finite number, got {value}")
    if isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    raise ModelError(f"key '{place}': expected {hint.__name__}, got {_say(value)}")


def _say(value: object) -> str:
    """A JSON value's type as an error message names it, with the value where it is short."""
    text = repr(value)
    return f"{type(value).__name__} {text}" if len(text) <= 40 else type(value).__name__
