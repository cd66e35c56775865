from __future__ import annotations

import csv
import math
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from PIL import Image

import train.all
import train.hoc
import train.joint
import train.vae
from export.checkpoints import load_run
from train.arguments import Stage, run_stage
from train.batches import Batch, Batches
from train.config import Config, PhaseConfig, config_from_dict
from train.loop import learning_rate
from train.losses import NUM_BINS
from train.networks import Decoder, Mdn, NetworkConfig
from train.run import Run, TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Command = Callable[..., list[str]]

STAGES = ("vae", "hoc", "mdn", "joint", "hints")
NETWORKS = {
    "vae": ("encoder", "decoder"),
    "hoc": ("decoder", "hoc"),
    "mdn": ("mdn",),
    "joint": ("decoder", "mdn"),
    "hints": ("hints",),
}
VAE = (Stage("vae", train.vae.train),)
HOC = (Stage("hoc", train.hoc.train),)
JOINT = (Stage("joint", train.joint.train),)


@pytest.fixture
def command(
    crops: Path,
    smoke_run: Path,
    small_points: Callable[[pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    tiny_preset: Callable[..., dict[str, Any]],
    write_preset: Callable[[Path, Mapping[str, Any]], Path],
) -> Command:
    """Arguments of a run in `tmp_path / "run"` by the tiny preset with changes."""

    small_points(monkeypatch)

    def make(**changes: Any) -> list[str]:
        preset = write_preset(tmp_path / "preset.toml", tiny_preset(**changes))
        places = {"--data": crops, "--out": tmp_path / "run", "--cache": smoke_run.parent / "cache"}
        pairs = ["--config", str(preset)]
        for name, path in places.items():
            pairs += [name, str(path)]
        return pairs

    return make


def read_csv(path: Path) -> list[dict[str, float]]:
    with path.open(newline="", encoding="utf-8") as lines:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(lines)]


def weights(run: Path, stage: str) -> dict[str, torch.Tensor]:
    checkpoint = torch.load(run / f"{stage}.pt", weights_only=True)
    return {
        f"{name}.{key}": value
        for name in NETWORKS[stage]
        for key, value in checkpoint[name].items()
    }


def test_all_stages_write_what_they_promise(smoke_run: Path) -> None:
    for stage in STAGES:
        checkpoint = torch.load(smoke_run / f"{stage}.pt", weights_only=True)
        assert checkpoint["stage"] == stage
        assert config_from_dict(checkpoint["config"]).seed == 3
        assert all(math.isfinite(value) for value in checkpoint["metrics"].values())
        assert {"score"} < checkpoint["metrics"].keys()
        rows = read_csv(smoke_run / f"{stage}.csv")
        last = torch.load(smoke_run / f"{stage}.last.pt", weights_only=True)
        assert rows[-1]["step"] == last["step"]
        assert last["best"]["score"] == min(row["score"] for row in rows) or math.isclose(
            last["best"]["score"], min(row["score"] for row in rows), rel_tol=1e-5
        )
        for name in (f"{stage}.png", f"{stage}-sheet.png"):
            with Image.open(smoke_run / name) as picture:
                assert len(set(picture.convert("L").resize((64, 64)).tobytes())) > 10
    assert not [path for path in smoke_run.iterdir() if "tmp" in path.name]


def test_the_curves_have_what_has_to_be_watched(smoke_run: Path) -> None:
    wanted = {
        "vae": {"loss", "colour", "gradient", "kl", "active", "val_mae", "val_base_mae"},
        "hoc": {"loss", "mean_spp", "val_psnr_10", "val_psnr_50", "val_psnr_100", "val_spp"},
        "mdn": {"loss", "components", "val_best_mae", "val_first_mae"},
        "joint": {"loss", "called", "beyond", "val_best_mae", "val_first_mae", "val_beyond"},
    }
    for stage, names in wanted.items():
        assert {"step", "epoch", "score"} | names <= read_csv(smoke_run / f"{stage}.csv")[0].keys()


@pytest.mark.parametrize("stage", ["vae", "mdn", "joint"])
def test_the_loss_falls(smoke_run: Path, stage: str) -> None:
    rows = read_csv(smoke_run / f"{stage}.csv")
    assert rows[-1]["score"] < rows[0]["score"]
    assert rows[-1]["loss"] < rows[0]["loss"]


def test_revealing_more_points_brings_more(smoke_run: Path) -> None:
    row = read_csv(smoke_run / "hoc.csv")[-1]
    assert 15 < row["val_psnr_10"] < row["val_psnr_50"] < row["val_psnr_100"] < 60


def test_stage_1_phase_2_trains_the_top_of_the_decoder_alone(smoke_run: Path) -> None:
    before, after = weights(smoke_run, "vae"), weights(smoke_run, "hoc")
    changed = {
        key.split(".")[1]
        for key, value in after.items()
        if key.startswith("decoder.") and not torch.equal(value, before[key])
    }
    assert changed == {"top1", "top2"}


def test_the_joint_stage_goes_on_from_this_runs_networks(
    command: Command, smoke_run: Path, tmp_path: Path
) -> None:
    shutil.copytree(smoke_run, tmp_path / "run")
    (tmp_path / "run" / "joint.pt").unlink()
    still = command(joint={"epochs": 0.01, "learning_rate": 1e-12})
    # Another run's weights count for stages that begin with nothing, not for this one.
    assert run_stage(JOINT, [*still, "--start-from", str(smoke_run)]) == 0
    before = weights(smoke_run, "hoc") | weights(smoke_run, "mdn")
    for key, value in weights(tmp_path / "run", "joint").items():
        assert torch.allclose(value, before[key], atol=1e-6)


def test_the_joint_stage_takes_photos_without_names(
    command: Command, smoke_run: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    for stage in ("vae", "hoc", "mdn"):
        checkpoint = torch.load(smoke_run / f"{stage}.pt", weights_only=True)
        checkpoint["config"]["networks"]["num_classes"] = 2
        if "decoder" in checkpoint:
            checkpoint["decoder"] |= {
                "names.weight": torch.ones(2, checkpoint["config"]["networks"]["widths"][3]),
                "names.bias": torch.ones(2),
            }
        torch.save(checkpoint, run / f"{stage}.pt")
    assert run_stage(JOINT, command(joint={"epochs": 0.01})) == 0
    assert not any("names" in key for key in weights(run, "joint"))
    decoder = load_run(run).decoder  # of the joint stage, though the earlier ones named things
    made = weights(run, "joint")
    assert all(torch.equal(v, made[f"decoder.{k}"]) for k, v in decoder.state_dict().items())


def test_the_joint_stage_learns_from_the_nearest_sample(tmp_path: Path) -> None:
    networks = NetworkConfig(widths=(16, 16, 16, 16), blocks=(1, 1, 1, 1), num_components=3)
    config = Config(bfloat16="off", networks=networks)
    torch.manual_seed(0)
    decoder, mdn = Decoder(networks), Mdn(networks)
    loss = train.joint.JointLoss(decoder, mdn, config, torch.ones(NUM_BINS**2))
    generator = torch.Generator().manual_seed(1)
    gray = torch.randn(2, 1, 32, 32, generator=generator).clamp(-1, 1)
    noise = torch.randn(2, 3, 64, generator=generator)
    with torch.no_grad():
        pi, mu = mdn(gray)
        codes = mu + config.mdn.sigma * noise
        colours = torch.stack([decoder(gray, codes[:, k]) for k in range(3)], 1)
    # The truth is what one component says, another one for each photo.
    ab = torch.stack([colours[0, 2], colours[1, 0]])
    batch = Batch(gray, ab, torch.tensor([-1, -1]))
    with torch.no_grad():
        _, figures = loss(Run(tmp_path, "joint", config), batch, noise)
    assert float(figures["colour"]) == pytest.approx(0.0, abs=1e-5)
    called = -(pi[0, 2].log() + pi[1, 0].log()) / 2
    assert float(figures["called"]) == pytest.approx(float(called), rel=1e-5)
    assert float(figures["beyond"]) == pytest.approx(1.0, rel=1e-4)


def test_a_run_interrupted_in_each_stage_ends_like_one_that_was_not(
    command: Command,
    smoke_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_batch = Batches.train

    def interrupted(self: Batches, step: int, size: int, **options: Any) -> Any:
        if step == 2:
            signal.raise_signal(signal.SIGINT)
        return make_batch(self, step, size, **options)

    monkeypatch.setattr(Batches, "train", interrupted)
    arguments = [*command(), "--resume"]
    for stage in STAGES:
        assert run_stage(train.all.STAGES, arguments) == 130
        assert torch.load(tmp_path / "run" / f"{stage}.last.pt", weights_only=True)["step"] == 3
    assert "go on with --resume" in capsys.readouterr().err
    assert run_stage(train.all.STAGES, arguments) == 0
    assert "vae: done before, best val_mae" in capsys.readouterr().out
    for stage in STAGES:
        one, other = weights(tmp_path / "run", stage), weights(smoke_run, stage)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)
        for row, wanted in zip(
            read_csv(tmp_path / "run" / f"{stage}.csv"),
            read_csv(smoke_run / f"{stage}.csv"),
            strict=True,
        ):
            assert row == pytest.approx(wanted, rel=1e-5)


def test_a_finished_run_is_reported_and_left_as_it_is(
    smoke_run: Path, crops: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in smoke_run.iterdir()}
    preset = str(smoke_run.parent / "tiny.toml")
    arguments = ["--config", preset, "--data", str(crops), "--out", str(smoke_run), "--resume"]
    assert run_stage(train.all.STAGES, arguments) == 0
    out = capsys.readouterr().out
    for stage in STAGES:
        best = torch.load(smoke_run / f"{stage}.pt", weights_only=True)["metrics"]["score"]
        assert f"{stage}: done before" in out
        assert f"score {best:.4g}" in out
    assert {path.name: path.stat().st_mtime_ns for path in smoke_run.iterdir()} == before


def test_a_checkpoint_of_another_preset_is_refused(
    command: Command, smoke_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(smoke_run, tmp_path / "run")
    assert run_stage(VAE, [*command(vae={"epochs": 7.0}), "--resume"]) == 1
    assert "vae.epochs 3.0 there and 7.0 here" in capsys.readouterr().err
    # What another stage has set is no matter of this one.
    assert run_stage(VAE, [*command(hoc={"epochs": 7.0}), "--resume"]) == 0
    wider = command(networks={"widths": [16, 16, 32, 48]})
    assert run_stage(HOC, wider) == 1
    assert "decoder" in capsys.readouterr().err
    (tmp_path / "run" / "vae.last.pt").write_bytes(b"no checkpoint")
    assert run_stage(VAE, [*command(), "--resume"]) == 1
    assert "vae.last.pt is no checkpoint" in capsys.readouterr().err


def test_a_stage_needs_the_one_before(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_stage(HOC, command()) == 1
    assert "vae.pt; train its stage first" in capsys.readouterr().err


def test_a_run_can_start_from_another(
    command: Command, smoke_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(smoke_run, tmp_path / "run")
    frozen = command(hoc={"epochs": 0.01, "learning_rate": 1e-12})
    assert run_stage(HOC, [*frozen, "--start-from", str(smoke_run)]) == 0
    for key, value in weights(tmp_path / "run", "hoc").items():
        # The embedding goes on from the other run, the decoder from this run's stage before.
        other = weights(smoke_run, "hoc" if key.startswith("hoc.") else "vae")[key]
        assert torch.allclose(value, other, atol=1e-6)
    assert run_stage(VAE, [*frozen, "--start-from", str(tmp_path)]) == 1
    assert "vae.pt to start from" in capsys.readouterr().err


def test_a_loss_that_is_no_number_stops_with_words(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_stage(VAE, command(vae={"learning_rate": 1e30})) == 1
    assert "lower vae.learning_rate" in capsys.readouterr().err
    assert not (tmp_path / "run" / "vae.pt").exists()


def test_a_collapsed_latent_stops_with_words(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = command(
        vae={"kl_weight": 100.0, "kl_warmup": 0.1, "learning_rate": 1e-2, "epochs": 3.0},
        data={"limit": 0, "validation_share": 0.6},
    )
    assert run_stage(VAE, changed) == 1
    words = capsys.readouterr().err
    assert "the latent collapsed" in words
    assert "lower vae.kl_weight" in words


def test_a_full_disk_is_said_in_one_line(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        code = run_stage(VAE, command(vae={"epochs": 0.2}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert code == 1
    last = capsys.readouterr().err.rstrip().splitlines()[-1]
    assert last.startswith("error: ")
    assert "File too large" in last
    assert not [path for path in (tmp_path / "run").iterdir() if "tmp" in path.name]


def test_unusable_presets_and_photos_give_code_2(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_stage(VAE, command(vae={"speed": 1})) == 2
    assert "vae.speed: unknown key" in capsys.readouterr().err
    arguments = command()
    arguments[arguments.index("--data") + 1] = str(tmp_path / "none")
    assert run_stage(VAE, arguments) == 2
    assert "expected a folder or a zip" in capsys.readouterr().err


def test_two_processes_get_the_loss_of_one(command: Command, tmp_path: Path) -> None:
    arguments = command(vae={"epochs": 0.5})
    assert run_stage(VAE, arguments) == 0
    (tmp_path / "run").rename(tmp_path / "alone")
    arguments[arguments.index("--cache") + 1] = str(tmp_path / "cache")  # so that one decodes
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [sys.executable, *launcher, "-m", "train.vae", *arguments],
        env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        cwd=Path(train.all.__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("photos; skipped") == 1
    alone, together = (read_csv(tmp_path / run / "vae.csv") for run in ("alone", "run"))
    assert len(alone) == len(together) > 0
    for row, other in zip(alone, together, strict=True):
        assert other == pytest.approx(row, rel=1e-3, abs=1e-3)
    assert not list((tmp_path / "cache").rglob("*.tmp"))


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path: Path) -> None:
    run = Run(tmp_path, "vae", Config())
    assert run.part(7) == slice(0, 7)
    run.rank, run.world = 1, 2
    assert run.part(8) == slice(4, 8)
    with pytest.raises(TrainingError, match="2 processes can share, got 7"):
        run.part(7)


def test_the_rate_rises_and_falls() -> None:
    phase = PhaseConfig(learning_rate=2.0, warmup=0.1)
    rates = [learning_rate(phase, step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == rates[9] == pytest.approx(2.0)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.02, rel=0.1)


def test_noise_is_a_function_of_the_step(tmp_path: Path) -> None:
    run = Run(tmp_path, "vae", Config(seed=4))
    whole = run.noise(7, 6, 3)
    assert torch.equal(Run(tmp_path, "vae", Config(seed=4)).noise(7, 6, 3), whole)
    assert not torch.equal(Run(tmp_path, "vae", Config(seed=5)).noise(7, 6, 3), whole)
    assert not torch.equal(run.noise(8, 6, 3), whole)
    run.rank, run.world = 1, 2
    assert torch.equal(run.noise(7, 6, 3), whole[3:])
