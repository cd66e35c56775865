"""The diverse baselines: they learn, in turns that stay apart, and do what their papers say."""

from __future__ import annotations

import csv
import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import train.config
from huefield import pic as drawing
from train.arguments import Stage, run_stage
from train.baselines import bicycle_gan, cgan, mln_gan, pic, principal, sampling, vae_mdn
from train.batches import Batch, Batches
from train.config import Config, ConfigError, config_from_dict
from train.data import open_cache
from train.player import Player, Rival, alone
from train.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PRESET = Path(train.config.__file__).parent / "configs" / "baselines-smoke.toml"
STAGES = (*cgan.STAGES, *mln_gan.STAGES, *bicycle_gan.STAGES, *vae_mdn.STAGES, *pic.STAGES)
ADVERSARIAL = ("cgan", "mln_gan", "bicycle_gan")


@pytest.fixture(scope="module")
def preset() -> Callable[..., dict[str, Any]]:
    """Makes the smoke preset, 40 steps a stage; `cgan={"epochs": 1.0}` changes a key."""
    import tomllib

    def make(**changes: dict[str, Any]) -> dict[str, Any]:
        values = tomllib.loads(PRESET.read_text(encoding="utf-8"))
        values["data"] |= {"limit": 0, "validation_share": 0.05}
        for stage in STAGES:
            values[stage.name]["epochs"] = 1.65
        for table, change in changes.items():
            values[table] |= change
        return values

    return make


@pytest.fixture(scope="module")
def trained(
    crops: Path,
    preset: Callable[..., dict[str, Any]],
    write_preset: Callable[[Path, Mapping[str, Any]], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A run of all five methods; beside it lie `preset.toml` and `cache`."""
    root = tmp_path_factory.mktemp("baselines")
    path = write_preset(root / "preset.toml", preset())
    arguments = ["--config", str(path), "--data", str(crops), "--out", str(root / "run")]
    assert run_stage(STAGES, arguments) == 0
    return root / "run"


@pytest.fixture(scope="module")
def config() -> Config:
    return train.config.load_config(PRESET)


@pytest.fixture(scope="module")
def batches(crops: Path, trained: Path, preset: Callable[..., dict[str, Any]]) -> Batches:
    config = config_from_dict(preset())
    return Batches(open_cache([crops], config.data, trained.parent / "cache"), config.data, 3)


@pytest.fixture
def batch(batches: Batches) -> Batch:
    return batches.train(0, 4, grid=(32, 32))


@pytest.fixture
def run(config: Config, tmp_path: Path) -> Run:
    return Run(tmp_path / "run", "cgan", config)


def read_csv(path: Path) -> list[dict[str, float]]:
    with path.open(newline="", encoding="utf-8") as lines:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(lines)]


def draws_of(generator: Any, batch: Batch, moves: int) -> list[list[torch.Tensor]]:
    height, width = batch.gray.shape[2:]
    size = sampling.num_noise(generator.noise, height, width)
    normal = torch.randn(len(batch.gray), (moves + 1) * size, generator=torch.manual_seed(1))
    parts = torch.split(normal, size, 1)
    return [sampling.part_noise(generator.noise, part, height, width) for part in parts]


@pytest.mark.parametrize(
    ("stage", "falling"),
    [
        ("cgan", ("loss", "l1")),
        ("mln_gan", ("critic_loss",)),
        ("bicycle_gan", ("loss", "l1", "score")),
        ("vae_mdn", ("loss", "colour", "directions")),
        ("vae_mdn_prior", ("loss",)),
        ("pic", ("loss", "val_nats", "score")),
    ],
)
def test_every_method_learns_on_real_photos(
    trained: Path, stage: str, falling: tuple[str, ...]
) -> None:
    rows = read_csv(trained / f"{stage}.csv")
    for figure in falling:
        assert rows[-1][figure] < rows[0][figure], figure
    checkpoint = torch.load(trained / f"{stage}.pt", weights_only=True)
    assert checkpoint["stage"] == stage
    assert config_from_dict(checkpoint["config"]).seed == 3
    assert checkpoint["metrics"]["score"] == pytest.approx(min(r["score"] for r in rows), rel=1e-5)
    for name in (f"{stage}.png", f"{stage}-sheet.png"):
        with Image.open(trained / name) as picture:
            assert len(set(picture.convert("L").resize((64, 64)).tobytes())) > 10


def test_variance_over_samples_is_measured(trained: Path) -> None:
    for stage in (*ADVERSARIAL, "vae_mdn_prior"):
        figures = torch.load(trained / f"{stage}.pt", weights_only=True)["metrics"]
        assert 0 < figures["val_variance"] < 0.1
        assert figures["val_best_mae"] < figures["val_first_mae"]


def test_an_interrupted_adversarial_run_ends_like_one_that_was_not(
    crops: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_batch = Batches.train

    def interrupted(self: Batches, step: int, size: int, **options: Any) -> Any:
        if step == 9:
            signal.raise_signal(signal.SIGINT)
        return make_batch(self, step, size, **options)

    monkeypatch.setattr(Batches, "train", interrupted)
    places = {
        "--config": trained.parent / "preset.toml",
        "--data": crops,
        "--out": tmp_path / "run",
        "--cache": trained.parent / "cache",
    }
    arguments = [text for pair in places.items() for text in map(str, pair)] + ["--resume"]
    assert run_stage(mln_gan.STAGES, arguments) == 130
    assert torch.load(tmp_path / "run" / "mln_gan.last.pt", weights_only=True)["step"] == 10
    assert run_stage(mln_gan.STAGES, arguments) == 0
    one = torch.load(tmp_path / "run" / "mln_gan.last.pt", weights_only=True)
    other = torch.load(trained / "mln_gan.last.pt", weights_only=True)
    for network in ("generator", "critic"):
        assert all(torch.equal(one[network][k], other[network][k]) for k in other[network])
    assert one.keys() == other.keys()
    assert "critic optimiser" in one


def test_two_processes_train_both_sides_like_one(
    crops: Path,
    trained: Path,
    tmp_path: Path,
    preset: Callable[..., dict[str, Any]],
    write_preset: Callable[[Path, Mapping[str, Any]], Path],
) -> None:
    path = write_preset(tmp_path / "preset.toml", preset(mln_gan={"epochs": 0.2}))
    arguments = ["--config", str(path), "--data", str(crops), "--resume"]
    arguments += ["--cache", str(trained.parent / "cache"), "--out"]
    assert run_stage(mln_gan.STAGES, [*arguments, str(tmp_path / "alone")]) == 0
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    method = ["-m", "train.baselines.mln_gan", *arguments, str(tmp_path / "together")]
    subprocess.run(
        [sys.executable, *launcher, *method],
        env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        cwd=Path(train.config.__file__).parents[1],
        timeout=300,
        check=True,
    )
    alone, together = (read_csv(tmp_path / run / "mln_gan.csv") for run in ("alone", "together"))
    assert len(alone) == 1
    assert together[0] == pytest.approx(alone[0], rel=1e-2, abs=1e-3)


def test_each_side_trains_its_own_weights_alone(run: Run, config: Config) -> None:
    class Pull(nn.Module):
        """Wants its own weight times the other's to be large or small."""

        def __init__(self, own: nn.Linear, other: nn.Linear, sign: float) -> None:
            super().__init__()
            self.own, self._other, self.sign = own, (other,), sign

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
            return self.sign * self._other[0](self.own(x)).mean(), {}

    first, second = nn.Linear(1, 1), nn.Linear(1, 1)
    players = [
        Player(run, config.cgan, Pull(first, second, 1.0), (0.5, 0.9)),
        Player(run, config.cgan, Pull(second, first, -1.0), (0.5, 0.9)),
    ]
    before = [p.detach().clone() for p in (*first.parameters(), *second.parameters())]
    with alone(players[0], players):
        players[0].move(0, 0.1, (torch.ones(3, 1),), {})
        assert not any(p.requires_grad for p in second.parameters())
    after = [*first.parameters(), *second.parameters()]
    assert not torch.equal(before[0], after[0])
    assert all(torch.equal(before[k], after[k]) for k in (2, 3))
    assert all(p.requires_grad for p in after)
    assert all(p.grad is None for p in second.parameters())


@pytest.mark.parametrize("method", ADVERSARIAL)
def test_a_loss_registers_only_what_its_side_trains(config: Config, method: str) -> None:
    """The loop gives each side's optimiser all that is registered in its loss."""
    if method == "cgan":
        generator, critic = cgan.Generator(config.cgan), cgan.PatchCritic(16)
        losses = (
            cgan.GeneratorLoss(generator, critic, config.cgan),
            cgan.CriticLoss(critic, generator),
        )
        own = ([*generator.parameters()], [*critic.parameters()])
    elif method == "mln_gan":
        maker, judge = mln_gan.Generator(config.mln_gan), mln_gan.Critic(16)
        losses = (
            mln_gan.GeneratorLoss(maker, judge),
            mln_gan.CriticLoss(judge, maker, config.mln_gan),
        )
        own = ([*maker.parameters()], [*judge.parameters()])
    else:
        phase = config.bicycle_gan
        parts = bicycle_gan.Generator(phase), bicycle_gan.Encoder(phase), bicycle_gan.Critics(16)
        losses = (
            bicycle_gan.GeneratorLoss(*parts, phase),
            bicycle_gan.CriticLoss(parts[2], parts[0], parts[1]),
        )
        own = ([*parts[0].parameters(), *parts[1].parameters()], [*parts[2].parameters()])
    for loss, wanted in zip(losses, own, strict=True):
        assert {id(p) for p in loss.parameters()} == {id(p) for p in wanted}


def test_the_code_is_recovered_by_the_generator_alone(
    run: Run, config: Config, batch: Batch
) -> None:
    phase = config.bicycle_gan
    generator, encoder = bicycle_gan.Generator(phase), bicycle_gan.Encoder(phase)
    loss = bicycle_gan.GeneratorLoss(generator, encoder, bicycle_gan.Critics(16), phase)
    _, figures = loss(run, batch, draws_of(generator, batch, 1))
    figures["code"].backward()
    assert all(p.grad is None for p in encoder.parameters())
    assert any(p.grad is not None and p.grad.abs().max() > 0 for p in generator.parameters())
    loss(run, batch, draws_of(generator, batch, 1))[1]["l1"].backward()
    assert any(p.grad is not None and p.grad.abs().max() > 0 for p in encoder.parameters())


@pytest.mark.parametrize("method", ADVERSARIAL)
def test_weights_of_terms_are_the_papers(method: str) -> None:
    config = Config()
    if method == "cgan":
        assert (config.cgan.lambda_l1, config.cgan.dropout) == (100.0, 0.5)
    elif method == "mln_gan":
        assert (config.mln_gan.noise_size, config.mln_gan.noisy_layers) == (100, 3)
    else:
        phase = config.bicycle_gan
        assert (phase.code_size, phase.lambda_l1) == (8, 10.0)
        assert (phase.lambda_z, phase.lambda_kl) == (0.5, 0.01)


def test_loss_terms_add_up(run: Run, config: Config, batch: Batch) -> None:
    generator, critic = cgan.Generator(config.cgan), cgan.PatchCritic(16)
    loss = cgan.GeneratorLoss(generator, critic, config.cgan)
    with torch.no_grad():
        total, figures = loss(run, batch, draws_of(generator, batch, 1))
    assert float(total) == pytest.approx(float(figures["fooled"] + 100 * figures["l1"]), rel=1e-5)
    phase = config.bicycle_gan
    maker, encoder = bicycle_gan.Generator(phase), bicycle_gan.Encoder(phase)
    both = bicycle_gan.GeneratorLoss(maker, encoder, bicycle_gan.Critics(16), phase)
    with torch.no_grad():
        total, f = both(run, batch, draws_of(maker, batch, 1))
    wanted = f["fooled"] + 10 * f["l1"] + 0.5 * f["code"] + 0.01 * f["kl"]
    assert float(total) == pytest.approx(float(wanted), rel=1e-5)


def test_dropout_keeps_its_share_and_the_mean(config: Config, batch: Batch) -> None:
    generator = cgan.Generator(config.cgan)
    seen: list[torch.Tensor] = []

    def record(gray: torch.Tensor, masks: list[torch.Tensor]) -> torch.Tensor:
        seen.extend(masks)
        return gray

    generator.network.forward = record  # type: ignore[assignment,method-assign]
    generator(batch.gray, *draws_of(generator, batch, 0)[0])
    assert [mask.shape[2] for mask in seen] == [4, 8, 16]
    assert set(seen[2].unique().tolist()) == {0.0, 2.0}
    assert float(seen[2].mean()) == pytest.approx(1.0, abs=0.05)


def test_noise_counts_in_each_of_its_layers(config: Config, batch: Batch) -> None:
    generator = mln_gan.Generator(config.mln_gan)
    (noise,) = draws_of(generator, batch, 0)
    colours = generator(batch.gray, *noise)
    assert colours.shape == batch.ab.shape
    assert len(generator.project) == 2
    for projection in generator.project:
        kept = projection.bias.detach().clone()
        with torch.no_grad():
            projection.bias += 1.0
            assert (generator(batch.gray, *noise) - colours).abs().max() > 1e-4
            projection.bias.copy_(kept)


def test_the_critic_is_held_to_slope_one(run: Run, config: Config, batch: Batch) -> None:
    """A critic that is linear of slope s pays (s - 1)^2."""

    class Linear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.slope = nn.Parameter(torch.tensor(3.0))

        def forward(self, gray: torch.Tensor, ab: torch.Tensor) -> torch.Tensor:
            return self.slope * ab.flatten(1).sum(1) / math.sqrt(ab[0].numel())

    generator = mln_gan.Generator(config.mln_gan)
    critic: Any = Linear()
    loss = mln_gan.CriticLoss(critic, generator, config.mln_gan)
    draws = draws_of(generator, batch, 2)
    value, figures = loss(run, batch, draws, 0)
    distance = float(figures["distance"].detach())
    assert float(value.detach()) == pytest.approx(10 * 4.0 - distance, rel=1e-4)
    value.backward()
    made = generator(batch.gray, *draws[0])
    with torch.no_grad():
        real, fake = critic(batch.gray, batch.ab).mean(), critic(batch.gray, made).mean()
    per_slope = float(real - fake) / 3
    assert float(critic.slope.grad) == pytest.approx(2 * 10 * 2.0 - per_slope, rel=1e-3)


def test_distance_along_directions_is_the_plain_formula(batches: Batches, batch: Batch) -> None:
    directions = principal.principal_directions(batches, 6)
    colours = batch.ab.flip(3) * 0.7
    found = principal.direction_distance(colours, batch.ab, directions).numpy()

    made = [batches.train(step, 100, grid=(32, 32)).ab.numpy() for step in range(2)]
    fields = np.concatenate(made)[: len(batches)]
    assert 100 < len(fields) < 200
    small = fields.reshape(-1, 2, 16, 2, 16, 2).mean(axis=(3, 5)).reshape(-1, 512)
    values, vectors = np.linalg.eigh(np.cov(small.T.astype(np.float64)))
    top, variance = vectors[:, ::-1][:, :6], values[::-1][:6]
    difference = (colours - batch.ab).numpy().reshape(-1, 2, 16, 2, 16, 2).mean(axis=(3, 5))
    for k, row in enumerate(difference.reshape(-1, 512).astype(np.float64)):
        wanted = sum((row @ top[:, i]) ** 2 / variance[i] for i in range(6))
        rest = row - sum((row @ top[:, i]) * top[:, i] for i in range(6))
        assert found[k] == pytest.approx(wanted + rest @ rest / variance[5], rel=2e-3)


def test_directions_keep_a_and_b_apart(batches: Batches) -> None:
    ab = torch.zeros(1, 2, 32, 32)
    ab[0, 1, :16] = 1.0
    flat = principal.flat_fields(ab)[0]
    assert float(flat[:256].abs().max()) == 0.0
    assert float(flat[256 : 256 + 128].min()) == 1.0
    few = principal.principal_directions(batches, 500)
    assert len(few.variances) == len(batches) - 1
    eye = few.components @ few.components.T
    assert torch.allclose(eye, torch.eye(len(eye)), atol=1e-4)


def test_a_pixel_depends_on_earlier_ones_alone(config: Config, batch: Batch) -> None:
    torch.manual_seed(2)
    network, embedding = pic.Network(config.pic), pic.Embedding(config.pic)
    colours = pic.whole_units(batch.ab)[:1].requires_grad_(True)
    places = embedding(batch.gray[:1])
    height, width = colours.shape[2:]
    # Neighbours left, left of that, above, above right: those that the first layer sees.
    y, x = 4, 3
    parameters = network(colours, places)
    (slope,) = torch.autograd.grad(parameters[0, :, y, x].sum(), colours)
    reached = slope[0].abs().sum(0) > 0
    order = torch.arange(height * width).reshape(height, width)
    assert not reached[order >= order[y, x]].any()
    for neighbour in ((y, x - 1), (y, x - 2), (y - 1, x), (y - 1, x + 1), (y - 2, x - 1)):
        assert reached[neighbour], neighbour
    changed = colours.detach().clone()
    changed[:, :, y, x] += 0.5
    difference = (network(changed, places) - parameters).abs().sum(1)[0] > 0
    assert not difference[order <= order[y, x]].any()
    assert difference[y, x + 1]


@pytest.mark.parametrize("size", [(32, 32), (24, 40)])
def test_drawing_in_order_is_the_parallel_network(
    config: Config, batches: Batches, size: tuple[int, int]
) -> None:
    torch.manual_seed(4)
    network, embedding = pic.Network(config.pic), pic.Embedding(config.pic)
    with torch.no_grad():
        network.head.weight.mul_(10.0)  # as large as after training: draws then follow colours
    gray = batches.train(1, 3, grid=size).gray
    colours, found = pic.draw_fields(embedding, network, gray, 9)
    assert colours.shape == (3, 2, size[0] // 4, size[1] // 4)
    with torch.no_grad():
        wanted = network(colours, embedding(gray))
    assert torch.allclose(found, wanted, atol=1e-4)
    ours = drawing.log_likelihood(colours.numpy(), found.numpy()).sum(axis=(1, 2))
    theirs = pic.log_likelihood(colours, wanted).sum((1, 2)).numpy()
    assert np.allclose(ours, theirs, rtol=1e-4)
    assert (ours < 0).all()
    assert torch.equal(pic.draw_fields(embedding, network, gray, 9)[0], colours)
    assert not torch.equal(pic.draw_fields(embedding, network, gray, 10)[0], colours)


def test_colours_are_whole_units_at_a_quarter(batch: Batch) -> None:
    small = pic.whole_units(batch.ab)
    assert small.shape == (4, 2, 8, 8)
    assert torch.equal(small * 128, (small * 128).round())
    block = batch.ab[0, 1, 4:8, 8:12].mean()
    assert float((small[0, 1, 1, 2] - block).abs()) <= 0.5 / 128 + 1e-6
    assert float(pic.whole_units(torch.full((1, 2, 4, 4), 3.0)).max()) == 127 / 128


@pytest.mark.parametrize("size", [(24, 40), (64, 32)])
def test_any_grid_of_eights_will_do(config: Config, size: tuple[int, int]) -> None:
    gray = torch.linspace(-1, 1, 2 * size[0] * size[1]).reshape(2, 1, *size)
    for generator in (
        cgan.Generator(config.cgan),
        mln_gan.Generator(config.mln_gan),
        bicycle_gan.Generator(config.bicycle_gan),
    ):
        noise = sampling.seeded_noise(generator.noise, gray, 1)
        assert generator(gray, *noise).shape == (2, 2, *size)
    decoder = vae_mdn.Decoder(config.vae_mdn)
    pi, mu = vae_mdn.Mdn(config.vae_mdn, config.vae_mdn_prior)(gray)
    assert decoder(gray, mu[:, 0]).shape == (2, 2, *size)
    assert torch.allclose(pi.sum(1), torch.ones(2))


def test_no_photos_and_missing_weights_stop_with_words(
    crops: Path,
    trained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["--config", str(trained.parent / "preset.toml"), "--out", str(tmp_path / "run")]
    (tmp_path / "empty").mkdir()
    for stages in (cgan.STAGES, pic.STAGES):
        assert run_stage(stages, [*arguments, "--data", str(tmp_path / "empty")]) == 2
        assert "found none" in capsys.readouterr().err
    cached = ["--data", str(crops), "--cache", str(trained.parent / "cache")]
    prior = (Stage("vae_mdn_prior", vae_mdn.train_prior),)
    assert run_stage(prior, [*arguments, *cached]) == 1
    assert "vae_mdn.pt; train its stage first" in capsys.readouterr().err
    lost = [*arguments, *cached, "--start-from", str(tmp_path)]
    assert run_stage(bicycle_gan.STAGES, lost) == 1
    assert "bicycle_gan.pt to start from" in capsys.readouterr().err


def test_a_loss_that_is_no_number_stops_with_words(
    crops: Path,
    trained: Path,
    tmp_path: Path,
    preset: Callable[..., dict[str, Any]],
    write_preset: Callable[[Path, Mapping[str, Any]], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write_preset(tmp_path / "preset.toml", preset(cgan={"learning_rate": 1e30}))
    arguments = ["--config", str(path), "--data", str(crops), "--out", str(tmp_path / "run")]
    assert run_stage(cgan.STAGES, [*arguments, "--cache", str(trained.parent / "cache")]) == 1
    assert "lower cgan.learning_rate" in capsys.readouterr().err
    assert not (tmp_path / "run" / "cgan.pt").exists()


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("cgan", "widths", [16, 16, 16]),
        ("cgan", "widths", [16, 16, 16, 50]),
        ("cgan", "dropout", 1.0),
        ("cgan", "lambda_l1", -1.0),
        ("mln_gan", "kernel", 4),
        ("mln_gan", "noisy_layers", 9),
        ("mln_gan", "critic_moves", 0),
        ("bicycle_gan", "code_size", 0),
        ("bicycle_gan", "epochs", 0.0),
        ("vae_mdn", "rarity", 0.0),
        ("vae_mdn", "num_directions", 0),
        ("vae_mdn_prior", "sigma", 0.0),
        ("pic", "num_logistics", 0),
        ("pic", "warmup", 1.5),
    ],
)
def test_settings_that_cannot_work_are_named(table: str, key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=rf"^{table}\.{key}: expected"):
        config_from_dict({table: {key: value}})


def test_a_rival_says_what_it_is() -> None:
    assert Rival("critic", nn.Identity()).moves == 1
