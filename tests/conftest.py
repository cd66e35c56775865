"""What tests share: shipped photos, the photo sets where a machine has them, real small models."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from huefield.networks import Networks

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "static" / "examples"


@pytest.fixture(scope="session")
def example_photos() -> Mapping[str, Path]:
    """Shipped photos by name (`mechanic`, `boothbay`, ...); three of them are in colour."""
    listing = json.loads((EXAMPLES / "examples.json").read_text(encoding="utf-8"))
    return {Path(entry["file"]).stem: EXAMPLES / entry["file"] for entry in listing["examples"]}


@pytest.fixture(scope="session")
def color_photos(example_photos: Mapping[str, Path]) -> Mapping[str, Path]:
    """Those of the shipped photos that are in colour."""
    listing = json.loads((EXAMPLES / "examples.json").read_text(encoding="utf-8"))
    names = [Path(entry["file"]).stem for entry in listing["examples"] if entry["color"]]
    return {name: example_photos[name] for name in names}


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder with the photo-set zips (`HUEFIELD_DATA`, else `../shared/data` beside the checkout).

    A test that asks for it is skipped, with the reason, where there is none.
    """
    named = os.environ.get("HUEFIELD_DATA")
    root = Path(named) if named else ROOT.parent / "shared" / "data"
    if not any(root.glob("*.zip")):
        pytest.skip(f"no photo sets under {root}; name their folder in HUEFIELD_DATA")
    return root


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of very small networks with fixed weights: vae.pt, hoc.pt and mdn.pt as stages write.

    Nothing was learned, but colours are strong and depend on picture, place and code, and S is the
    bilateral affinity that training starts from.
    """
    import torch

    from train.config import Config, config_to_dict
    from train.networks import Decoder, Encoder, Hoc, Mdn, NetworkConfig

    full = NetworkConfig()
    networks = NetworkConfig(
        widths=tuple(16 for _ in full.widths),
        blocks=tuple(1 for _ in full.blocks),
        encoder_width=16,
        hoc_width=16,
        embedding_size=12,
        num_components=4,
        mdn_width=16,
        hints_widths=(16, 16, 16, 16, 16),
    )
    config = config_to_dict(Config(networks=networks))
    generator = torch.Generator().manual_seed(11)
    modules = {"encoder": Encoder, "decoder": Decoder, "hoc": Hoc, "mdn": Mdn}
    states = {}
    for name, make in modules.items():
        module = make(networks)
        with torch.no_grad():
            for parameter in module.parameters():
                if parameter.dim() > 1:
                    spread = (0.5 / parameter[0].numel()) ** 0.5
                    parameter.normal_(0.0, spread, generator=generator)
        states[name] = module.state_dict()
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    folder.mkdir()
    kept = {"vae": ("encoder", "decoder"), "hoc": ("decoder", "hoc"), "mdn": ("mdn",)}
    figures = {"hoc": {f"val_psnr_{points}": 20.0 + points / 100 for points in (10, 50, 100)}}
    for stage, names in kept.items():
        content = {"stage": stage, "config": config, "metrics": figures.get(stage, {}), "step": 1}
        torch.save(content | {name: states[name] for name in names}, folder / f"{stage}.pt")
    return folder


@pytest.fixture(scope="session")
def tiny_model(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`tiny_run` exported: a model folder named `tiny`, alone in its folder of models.

    Its grid has a quarter of the usual cells, which makes a solve 16 times and more quicker.
    """
    from export.__main__ import main

    folder = tmp_path_factory.mktemp("models") / "tiny"
    options = ["--grid-area", "1024", "--description", "Untrained, for tests"]
    assert main([str(tiny_run), str(folder), *options]) == 0
    return folder


@pytest.fixture(scope="session")
def hinted_model(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`tiny_model` with a hints network, its weights drawn, exported as `hinted`."""
    import torch

    from export.__main__ import main
    from train.config import config_from_dict
    from train.hints_network import Hints

    run = tmp_path_factory.mktemp("runs") / "hinted"
    shutil.copytree(tiny_run, run)
    config = torch.load(run / "vae.pt", weights_only=True)["config"]
    torch.manual_seed(5)
    hints = Hints(config_from_dict(config).networks)
    torch.nn.init.normal_(hints.head.weight, std=0.1)  # untaught, it shows what it recalls alone
    content = {"stage": "hints", "config": config, "metrics": {}, "step": 1}
    torch.save(content | {"hints": hints.state_dict()}, run / "hints.pt")
    folder = tmp_path_factory.mktemp("models") / "hinted"
    options = ["--grid-area", "1024", "--hints-for-strokes"]
    assert main([str(run), str(folder), *options]) == 0
    return folder


@pytest.fixture(scope="session")
def tiny_networks(tiny_model: Path) -> Networks:
    """`tiny_model` loaded on the CPU."""
    from huefield.networks import load_model

    return load_model(tiny_model, "cpu", threads=1)


@pytest.fixture(scope="session")
def untrained_baselines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a checkpoint of each diverse baseline, small, its weights drawn."""
    import torch

    import train.config
    from tests.baseline_networks import baseline_networks

    presets = Path(train.config.__file__).parent / "configs"
    config = train.config.load_config(presets / "baselines-smoke.toml")
    torch.manual_seed(7)
    networks = baseline_networks(config)
    folder = tmp_path_factory.mktemp("runs") / "baselines"
    folder.mkdir()
    for stage, modules in networks.items():
        for module in modules.values():  # heads start small: let colours be strong
            for name, parameter in module.named_parameters():
                if name.endswith("head.weight"):
                    torch.nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
        states = {name: module.state_dict() for name, module in modules.items()}
        content = {"stage": stage, "config": train.config.config_to_dict(config), "step": 1}
        torch.save(content | {"metrics": {"score": 1.0}} | states, folder / f"{stage}.pt")
    return folder


@pytest.fixture(scope="session")
def baseline_models(untrained_baselines: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`untrained_baselines` exported: a folder of models, one a method, named after it."""
    from export.baselines import main
    from huefield.baseline_info import GRAPHS

    root = tmp_path_factory.mktemp("models")
    for method in GRAPHS:
        assert main([str(untrained_baselines), str(root / method), "--method", method]) == 0
    return root
