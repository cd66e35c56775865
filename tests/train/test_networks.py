from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from train.hints_network import Hints
from train.networks import Decoder, Encoder, Hoc, Mdn, NetworkConfig

SMALL = NetworkConfig(
    widths=(16, 16, 32, 32),
    blocks=(1, 1, 1, 1),
    encoder_width=16,
    hoc_width=16,
    embedding_size=10,
    num_components=3,
    mdn_width=16,
)
# Sides that are multiples of 8 but not of 16 leave odd sizes at the coarse scales.
GRIDS = [(64, 64), (56, 72), (8, 512), (8, 8), (40, 24)]


def pictures(height: int, width: int, count: int = 2) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    gray = torch.rand(count, 1, height, width, generator=generator) * 2 - 1
    ab = (torch.rand(count, 2, height, width, generator=generator) - 0.5) * 0.6
    return gray, ab


def num_weights(*modules: nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


@pytest.mark.parametrize("side", [4, 1])
@pytest.mark.parametrize("grid", GRIDS)
def test_networks_take_every_grid_with_sides_that_are_multiples_of_8(
    grid: tuple[int, int], side: int
) -> None:
    config = replace(SMALL, latent_side=side, latent_channels=64 // side**2)
    gray, ab = pictures(*grid)
    with torch.no_grad():
        mean, log_variance = Encoder(config)(gray, ab)
        unary = Decoder(config)(gray, mean)
        embedding = Hoc(config)(gray)
        pi, mu = Mdn(config)(gray)
    assert mean.shape == log_variance.shape == (2, 64)
    assert unary.shape == (2, 2, *grid)
    assert embedding.shape == (2, 10, *grid)
    assert mu.shape == (2, 3, 64)
    assert torch.allclose(pi.sum(1), torch.ones(2))
    for out in (mean, log_variance, unary, embedding, pi, mu):
        assert out.isfinite().all()
        assert out.dtype == torch.float32


def test_sizes_stay_within_what_serving_allows() -> None:
    config = NetworkConfig(backbone="efficientnet-lite0", blocks=(1, 1, 1, 1))
    assert num_weights(Decoder(config)) <= 12e6
    assert num_weights(Hoc(config)) <= 4e6
    assert num_weights(Mdn(config)) <= 8e6
    in_all = num_weights(Decoder(config), Hoc(config), Mdn(config), Hints(config))
    assert in_all * 4 <= 58e6  # bytes of a model folder, less what the graphs add


@pytest.mark.parametrize("side", [4, 1])
def test_the_code_and_the_picture_change_the_unary(side: int) -> None:
    torch.manual_seed(0)
    decoder = Decoder(replace(SMALL, latent_side=side, latent_channels=64 // side**2))
    gray, _ = pictures(24, 40)
    z = torch.randn(2, 64)
    with torch.no_grad():
        unary = decoder(gray, z)
        assert not torch.allclose(decoder(gray, z + 0.5), unary, atol=1e-4)
        assert not torch.allclose(decoder(-gray, z), unary, atol=1e-4)
        for k in range(64):  # no dimension is left out
            other = z.clone()
            other[:, k] += 1.0
            assert not torch.equal(decoder(gray, other), unary)


def test_many_codes_share_one_gray_pass() -> None:
    decoder = Decoder(SMALL)
    gray, _ = pictures(32, 32)
    z = torch.randn(2, 64)
    with torch.no_grad():
        assert torch.equal(decoder.decode(decoder.gray(gray), z), decoder(gray, z))


def test_a_code_in_one_corner_acts_there() -> None:
    torch.manual_seed(0)
    decoder = Decoder(SMALL)
    nn.init.zeros_(decoder.latent_global.weight)
    gray, _ = pictures(64, 64)
    z = torch.zeros(2, 4, 4, 4)
    with torch.no_grad():
        before = decoder(gray, z.flatten(1))
        z[:, :, 0, 0] = 3.0
        change = (decoder(gray, z.flatten(1)) - before).abs().mean((0, 1))
    assert change[:16, :16].mean() > 5 * change[48:, 48:].mean()


def test_the_encoder_sees_colour_and_place() -> None:
    torch.manual_seed(0)
    encoder = Encoder(SMALL)
    gray, ab = pictures(32, 32)
    with torch.no_grad():
        mean, log_variance = encoder(gray, ab)
        other, _ = encoder(gray, ab.flip(3))
        far = encoder(gray * 1e4, ab * 1e4)[1]
    assert not torch.allclose(mean, other, atol=1e-4)
    assert log_variance.min() >= -8
    assert far.max() <= 4


@pytest.mark.parametrize("position", [True, False])
def test_position_is_part_of_the_embedding_on_demand(position: bool) -> None:
    torch.manual_seed(0)
    hoc = Hoc(replace(SMALL, position=position))
    gray, _ = pictures(16, 24)
    with torch.no_grad():
        embedding = hoc(gray)
    assert embedding.shape == (2, 10, 16, 24)
    learned = hoc.head.out_channels
    assert learned == (7 if position else 10)
    if position:
        given = embedding[:, -3:]
        assert torch.allclose(given[:, 0], gray[:, 0] * 4)
        assert torch.allclose(given[0, 1, :, 0], torch.arange(16.0) * 0.16)
        assert torch.allclose(given[0, 2, 0], torch.arange(24.0) * 0.16)


def test_names_are_told_only_with_classes() -> None:
    gray, _ = pictures(16, 16)
    decoder = Decoder(replace(SMALL, num_classes=5))
    assert decoder.name_logits(decoder.gray(gray)).shape == (2, 5)
    bare = Decoder(SMALL)
    with pytest.raises(ValueError, match="num_classes"):
        bare.name_logits(bare.gray(gray))


def test_only_the_top_layers_are_named_as_such() -> None:
    decoder = Decoder(SMALL)
    top = {id(p) for p in decoder.top()}
    names = {name.partition(".")[0] for name, p in decoder.named_parameters() if id(p) in top}
    assert names == {"top1", "top2"}


@pytest.mark.parametrize(
    "change",
    [
        {"widths": (16, 16, 32, 48)},
        {"blocks": (1, 1, 1, 2)},
        {"latent_channels": 5},
        {"latent_side": 3},
        {"encoder_width": 32},
        {"hoc_width": 32},
        {"embedding_size": 11},
        {"position": False},
        {"num_components": 4},
        {"mdn_width": 32},
        {"num_classes": 2},
    ],
)
def test_every_size_changes_a_network(change: dict[str, object]) -> None:
    def shapes(config: NetworkConfig) -> list[dict[str, torch.Size]]:
        made = (Encoder(config), Decoder(config), Hoc(config), Mdn(config))
        return [{name: value.shape for name, value in m.state_dict().items()} for m in made]

    assert shapes(replace(SMALL, **change)) != shapes(SMALL)
