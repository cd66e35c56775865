from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor

from huefield.gcrf import Kernel, Weights, open_solver
from huefield.gcrf import similarity as serving_similarity
from huefield.photo import read_photo
from huefield.upsample import grid_lightness
from train.crf import similarity, solve
from train.run import TrainingError


def problem(pixels: int = 12, count: int = 2, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    generator = torch.Generator().manual_seed(4)
    embedding = torch.randn(count, 3, pixels, generator=generator, dtype=dtype)
    weight = torch.rand(count, pixels, generator=generator, dtype=dtype) + 0.05
    target = torch.randn(count, pixels, 2, generator=generator, dtype=dtype)
    return [embedding, weight, target]


@pytest.mark.parametrize("diagonal", [True, False])
@pytest.mark.parametrize("kernel", ["distance", "inner"])
def test_similarity_is_the_softmax_over_each_row(kernel: str, diagonal: bool) -> None:
    embedding = problem()[0]
    s = similarity(embedding, kernel, diagonal=diagonal)
    a = embedding[1].numpy()
    for p in range(12):
        logits = a.T @ a[:, p] if kernel == "inner" else -((a - a[:, p : p + 1]) ** 2).sum(0)
        if not diagonal:
            logits[p] = -np.inf
        row = np.exp(logits - logits.max())
        assert s[1, p].numpy() == pytest.approx(row / row.sum(), abs=1e-8)


@pytest.mark.parametrize("pixels", [12, 200])
def test_solution_is_scipys(pixels: int) -> None:
    embedding, weight, target = problem(pixels)
    s = similarity(embedding)
    x = solve(s, weight, target)
    for n in range(2):
        m = np.eye(pixels) - s[n].numpy()
        w = np.diag(weight[n].numpy())
        wanted = scipy.linalg.solve(m.T @ m + w, w @ target[n].numpy(), assume_a="pos")
        assert np.abs(x[n].numpy() - wanted).max() < 1e-9


def test_solution_in_single_precision_is_near_it() -> None:
    embedding, weight, target = problem(200)
    exact = solve(similarity(embedding), weight, target)
    single = solve(similarity(embedding.float()), weight.float(), target.float())
    assert (single - exact).abs().max() < 1e-4


@pytest.mark.parametrize("kernel", ["distance", "inner"])
def test_gradients_are_those_of_finite_differences(kernel: str) -> None:
    embedding, weight, target = (t.requires_grad_() for t in problem(6))

    def colours(a: Tensor, w: Tensor, alpha: Tensor) -> Tensor:
        return solve(similarity(a, kernel), w, alpha)

    assert torch.autograd.gradcheck(colours, (embedding, weight, target))


def test_gradient_with_respect_to_s_is_that_of_plain_algebra() -> None:
    embedding, weight, target = problem(8)
    s = similarity(embedding).requires_grad_()
    solve(s, weight, target).square().sum().backward()
    implicit = s.grad
    again = s.detach().clone().requires_grad_()
    m = torch.eye(8, dtype=torch.float64) - again
    q = m.transpose(1, 2) @ m + torch.diag_embed(weight)
    torch.linalg.solve(q, weight[..., None] * target).square().sum().backward()
    assert implicit is not None
    assert again.grad is not None
    assert torch.allclose(implicit, again.grad, atol=1e-9)


def test_a_constant_colour_stays_constant() -> None:
    embedding, weight, _ = problem(40)
    x = solve(similarity(embedding), weight, torch.full((2, 40, 2), 0.3, dtype=torch.float64))
    assert (x - 0.3).abs().max() < 1e-6  # rows of S sum to 1 but for what is dropped


def test_a_broken_embedding_stops_with_words() -> None:
    embedding, weight, target = problem()
    embedding[0, 0, 0] = torch.nan
    with pytest.raises(TrainingError, match="not positive definite"):
        solve(similarity(embedding), weight, target)


@pytest.mark.parametrize(
    ("kind", "diagonal"), [("distance", True), ("distance", False), ("inner", True)]
)
def test_training_and_serving_agree_on_a_photo(
    color_photos: dict[str, Path], kind: str, diagonal: bool
) -> None:
    photo = read_photo(color_photos["boothbay"].read_bytes())
    height, width = 24, 40
    gray = (grid_lightness(photo.lightness, (height, width)) - 50) / 50
    rows, columns = np.mgrid[:height, :width] * 0.1
    scale = 1.0 if kind == "distance" else 0.3
    embedding = np.stack([4 * gray, rows, columns]).reshape(3, -1).astype(np.float32) * scale
    kernel = Kernel(kind, diagonal)
    s = similarity(torch.from_numpy(embedding)[None], kind, diagonal=diagonal)
    assert np.abs(s[0].numpy() - serving_similarity(embedding, kernel)).max() < 1e-5

    rng = np.random.default_rng(0)
    weights = np.where(rng.random(height * width) < 0.1, 5.0, 0.05).astype(np.float32)
    targets = rng.normal(0, 20, (1, height * width, 2)).astype(np.float32)
    x = solve(s, torch.from_numpy(weights)[None], torch.from_numpy(targets))
    served = open_solver(embedding, kernel, Weights(), backend="cpu").solve(weights, targets)
    assert np.abs(x.numpy() - served).max() < 1e-3 * 20
