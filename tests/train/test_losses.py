from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from huefield import lab, metrics
from train import losses


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_colour_error_of_a_constant_offset() -> None:
    ab = noise(2, 2, 8, 8) * 0.1
    weight = torch.ones(2, 8, 8)
    # 10 ab units off in both channels: 1 + 1 units of 10 ab.
    assert losses.colour_error(ab + 10 / 128, ab, weight).item() == pytest.approx(2.0, rel=1e-5)
    weight[0] = 3.0
    assert losses.colour_error(ab + 10 / 128, ab, weight).item() == pytest.approx(4.0, rel=1e-5)


def test_gradient_error_sees_steps_and_no_offset() -> None:
    ab = noise(2, 2, 8, 8) * 0.1
    assert losses.gradient_error(ab + 0.3, ab).item() == pytest.approx(0.0, abs=1e-5)
    ramp = torch.arange(8.0).reshape(1, 1, 8, 1) * 10 / 128
    assert losses.gradient_error(ab + ramp, ab).item() == pytest.approx(1.0, rel=1e-4)
    across = ramp.transpose(2, 3) * 2
    assert losses.gradient_error(ab + across, ab).item() == pytest.approx(2.0, rel=1e-4)


def test_beyond_a_tint_is_what_the_metric_says() -> None:
    gray, ab = noise(3, 1, 16, 16).clamp(-1, 1), 0.2 * noise(3, 2, 16, 16, seed=1)
    gray[2], ab[2] = 0.3, 0.1 * gray[0] + 0.2  # a flat picture is no reason to fail
    found = losses.beyond_tint(gray, ab)
    for k in range(3):
        lightness = 50 + 50 * gray[k, 0].numpy()
        wanted = metrics.beyond_tint(lightness, 128 * np.moveaxis(ab[k].numpy(), 0, 2))
        assert 128 * float(found[k]) == pytest.approx(wanted, rel=1e-3)
    tint = torch.cat([gray[:1] ** 2 - gray[:1], 0.3 + gray[:1]], 1)
    assert 128 * float(losses.beyond_tint(gray[:1], tint)) < 0.05


def test_kl_is_that_of_torch() -> None:
    mean, log_variance = noise(5, 7), noise(5, 7, seed=1)
    q = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    wanted = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0))
    assert torch.allclose(losses.kl_divergence(mean, log_variance), wanted, atol=1e-5)
    assert losses.kl_divergence(torch.zeros(1, 3), torch.zeros(1, 3)).abs().max() == 0


def test_active_dimensions_are_those_that_vary() -> None:
    means = noise(50, 6)
    means[:, :2] *= 0.01
    means[:, 2] = 4.0
    assert losses.num_active(means) == 3
    assert losses.num_active(means[:1]) == 0


def brute_force(pi: Tensor, mu: Tensor, z: Tensor, sigma: float) -> list[float]:
    values = []
    for n in range(len(z)):
        distances = [math.dist(z[n].tolist(), m.tolist()) ** 2 for m in mu[n]]
        nearest = min(range(len(distances)), key=distances.__getitem__)
        values.append(-math.log(pi[n, nearest]) + distances[nearest] / (2 * sigma**2))
    return values


@pytest.mark.parametrize("sigma", [0.3, 1.0])
def test_mixture_loss_is_that_of_the_nearest_component(sigma: float) -> None:
    pi, mu, z = torch.softmax(noise(6, 4), 1), noise(6, 4, 5, seed=1), noise(6, 5, seed=2)
    value = losses.mixture_loss(pi, mu, z, sigma)
    assert value.tolist() == pytest.approx(brute_force(pi, mu, z, sigma), rel=1e-4)


def test_mixture_loss_moves_the_nearest_component_alone() -> None:
    mu = noise(1, 3, 4).requires_grad_()
    z = mu.detach()[:, 1] + 0.01
    losses.mixture_loss(torch.full((1, 3), 1 / 3), mu, z, 0.5).sum().backward()
    assert mu.grad is not None
    assert (mu.grad.abs().sum(2) > 0).tolist() == [[False, True, False]]


def test_colours_fall_into_bins_of_10() -> None:
    ab = torch.tensor([[0.0, 0.0], [4.9, 0.0], [5.1, 0.0], [0.0, -5.1], [500.0, -500.0]]) / 128
    center = 13 * 27 + 13
    bins = losses.colour_bins(ab)
    assert bins.tolist() == [center, center, center + 27, center - 1, 26 * 27]


def made_of(photos: list[np.ndarray]) -> SimpleNamespace:
    """Stands in for `Batches`: what the table reads of it."""
    cache = SimpleNamespace(photo=lambda index: photos[index])
    return SimpleNamespace(cache=cache, train_indices=np.arange(len(photos)))


@pytest.fixture
def two_colours() -> SimpleNamespace:
    photo = np.full((30, 30, 3), 128, np.uint8)
    photo[:3] = (200, 60, 40)  # a tenth of the rows that the table reads
    return made_of([photo, photo])


def test_rare_colours_weigh_more_by_the_formula(two_colours: SimpleNamespace) -> None:
    table = losses.rarity_table(two_colours, 0.5)
    red = lab.rgb_to_lab(np.array([200, 60, 40], np.uint8))[1:]
    common, rare = losses.colour_bins(torch.tensor(np.stack([[0.0, 0.0], red])).float() / 128)
    weights = np.array([1 / (0.5 * p + 0.5 / 2) for p in (0.9, 0.1)])
    weights /= (weights * [0.9, 0.1]).sum()
    assert [table[common].item(), table[rare].item()] == pytest.approx(weights.tolist(), rel=1e-5)
    assert 0.9 * table[common] + 0.1 * table[rare] == pytest.approx(1.0, rel=1e-5)
    assert table.max() == table[rare]  # unseen colours are as rare as the rarest


def test_share_1_weighs_all_alike(two_colours: SimpleNamespace) -> None:
    assert torch.allclose(losses.rarity_table(two_colours, 1.0), torch.ones(27 * 27))
    sharper = losses.rarity_table(two_colours, 0.1)
    assert sharper.max() > losses.rarity_table(two_colours, 0.5).max()


def test_weights_have_mean_1_over_the_photos(color_photos: dict[str, object]) -> None:
    from PIL import Image

    photos = []
    for path in color_photos.values():
        with Image.open(path) as picture:
            photos.append(np.asarray(picture.convert("RGB").resize((90, 60))))
    table = losses.rarity_table(made_of(photos), 0.5)
    pixels = np.concatenate([lab.rgb_to_lab(p[::3, ::3])[..., 1:].reshape(-1, 2) for p in photos])
    assert table[losses.colour_bins(torch.from_numpy(pixels) / 128)].mean() == pytest.approx(
        1, 1e-4
    )
