"""Zhang's local hints network, trained and exported, run by ONNX Runtime without torch.

`train.baselines.zhang` trains it, `export.zhang` writes its folder: `zhang.onnx` and `zhang.json`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huefield import lab, upsample
from huefield.hints import hint_map
from huefield.model_info import ModelError
from train.baselines.known import check_known, known_cells

Floats = NDArray[np.float32]

GRAPH_FILE = "zhang.onnx"
INFO_FILE = "zhang.json"
GRID_AREA = 4096


@dataclass(frozen=True)
class ZhangNetwork:
    """The network, ready to run on the CPU; it may be sent to other processes.

    Attributes:
        graph: The bytes of the ONNX file.
        sha256: Their hexadecimal SHA-256.
    """

    graph: bytes = field(repr=False)
    sha256: str

    def colorize(
        self,
        lightness: NDArray[np.floating],
        known: NDArray[np.bool_],
        colors: NDArray[np.floating],
    ) -> Floats:
        """The colours (H, W, 2) float32 ab of a whole photo from those of its revealed pixels.

        The network works on a grid of about 64 x 64 cells; its field is brought to the photo's
        size along the photo's edges. Revealed pixels may come out in another colour: the network
        is asked, not made, to follow them.

        Args:
            lightness: (H, W) L in 0..100.
            known: (H, W) true where the colour is revealed.
            colors: (H, W, 2) ab; read at the revealed pixels alone.

        Raises:
            ValueError: As `check_known`.
        """
        check_known(lightness, known, colors)
        light = np.asarray(lightness, np.float32)
        grid = upsample.grid_shape(*light.shape, area=GRID_AREA)
        cells = known_cells(known, colors, grid)
        hints = hint_map(cells, cells.targets[None], grid)
        gray = lab.scale_gray(upsample.grid_lightness(light, grid))
        (colours,) = self._session().run(
            ["colours"], {"gray": gray[None, None], "hints": hints}
        )  # (1, 2, h, w)
        fields = np.ascontiguousarray(colours[0].transpose(1, 2, 0)) * np.float32(lab.AB_SCALE)
        return upsample.upsample(fields, light)

    def _session(self) -> Any:
        """A session; made anew each time, 20 ms, since none survives being sent or forked."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.use_deterministic_compute = True
        return onnxruntime.InferenceSession(self.graph, options, ["CPUExecutionProvider"])


def load_zhang(folder: Path) -> ZhangNetwork:
    """The network of a folder.

    Raises:
        ModelError: A file is missing or broken, or the graph is not the one that was written.
    """
    try:
        info = json.loads((folder / INFO_FILE).read_text(encoding="utf-8"))
        graph = (folder / GRAPH_FILE).read_bytes()
    except OSError as error:
        raise ModelError(f"{error.filename}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"{folder / INFO_FILE}: is no JSON: {error}") from error
    wanted = info.get("sha256") if isinstance(info, dict) else None
    got = hashlib.sha256(graph).hexdigest()
    if wanted != got:
        raise ModelError(f"{folder / GRAPH_FILE}: SHA-256 differs: expected {wanted}, got {got}")
    return ZhangNetwork(graph, got)
