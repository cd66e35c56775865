"""The mixture of latent codes: seeded, spread over its components, chosen under edits."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
import scipy.stats

from huefield.mixture import Draws, Mixture, MixtureError, choose_for_edits

PI = np.array([0.1, 0.45, 0.05, 0.4])


@pytest.fixture
def mixture() -> Mixture:
    return Mixture(PI, np.random.default_rng(0).standard_normal((4, 64)) * 3, 0.5)


def test_the_first_sample_is_the_mean_of_the_likeliest_component(mixture: Mixture) -> None:
    for seed in range(5):
        draws = mixture.sample(3, seed)
        assert draws.component[0] == 1
        assert np.array_equal(draws.z[0], mixture.mu[1].astype(np.float32))


def test_a_sample_does_not_depend_on_how_many_there_are(mixture: Mixture) -> None:
    many = mixture.sample(40, 7)
    for n in (1, 2, 13):
        few = mixture.sample(n, 7)
        assert np.array_equal(few.z, many.z[:n])
        assert np.array_equal(few.component, many.component[:n])
        assert np.array_equal(few.log_prob, many.log_prob[:n])
        assert len(few) == n
    assert (many.z.dtype, many.component.dtype, many.log_prob.dtype) == (
        np.float32,
        np.int64,
        np.float32,
    )


def test_seeds_differ(mixture: Mixture) -> None:
    first, second = mixture.sample(6, 0), mixture.sample(6, 1)
    assert np.array_equal(first.z[0], second.z[0])
    assert (np.abs(first.z[1:] - second.z[1:]).max(axis=1) > 0.1).all()


@pytest.mark.parametrize("seed", range(6))
def test_components_come_in_proportion_even_for_a_few(mixture: Mixture, seed: int) -> None:
    """Within two of n pi at every length, where independent draws stray by the root of n."""
    component = mixture.sample(400, seed).component
    for n in (6, 20, 100, 400):
        counts = np.bincount(component[:n], minlength=4)
        assert np.abs(counts - n * PI).max() < 2.5


def test_a_component_without_weight_is_never_drawn() -> None:
    mixture = Mixture([0.0, 1.0, 0.0], np.eye(3), 0.1)
    assert set(mixture.sample(200, 3).component.tolist()) == {1}


def test_temperature_scales_the_deviation(mixture: Mixture) -> None:
    means = mixture.sample(200, 4, temperature=0.0)
    assert np.array_equal(means.z, mixture.mu[means.component].astype(np.float32))
    for temperature in (0.5, 1.0, 2.0):
        draws = mixture.sample(200, 4, temperature)
        assert np.array_equal(draws.component, means.component)
        deviation = (draws.z - means.z)[1:].std()
        assert deviation == pytest.approx(0.5 * temperature, rel=0.02)


def test_log_prob_is_the_density_of_the_mixture(mixture: Mixture) -> None:
    draws = mixture.sample(9, 2)
    parts = [
        np.log(weight) + scipy.stats.multivariate_normal(mean, 0.25 * np.eye(64)).logpdf(draws.z)
        for weight, mean in zip(PI, mixture.mu, strict=True)
    ]
    expected = scipy.special.logsumexp(parts, axis=0)
    assert np.allclose(draws.log_prob, expected, rtol=1e-5)
    assert np.array_equal(mixture.log_prob(draws.z), draws.log_prob)


def test_log_prob_stays_finite_far_away(mixture: Mixture) -> None:
    assert np.isfinite(mixture.log_prob(np.full((1, 64), 1e4))).all()


@pytest.mark.parametrize(
    ("pi", "mu", "sigma", "message"),
    [
        (np.ones((1, 2)) / 2, np.zeros((2, 3)), 1.0, r"pi must be \(M,\), got \(1, 2\)"),
        ([0.5, 0.5], np.zeros((3, 3)), 1.0, r"mu must be \(2, Z\), got \(3, 3\)"),
        ([0.5, 0.5], np.zeros(2), 1.0, "mu must be"),
        ([0.5, 0.6], np.zeros((2, 3)), 1.0, "sums to 1.1"),
        ([1.5, -0.5], np.zeros((2, 3)), 1.0, ">= 0"),
        ([0.5, 0.5], np.full((2, 3), np.nan), 1.0, "finite"),
        ([0.5, 0.5], np.zeros((2, 3)), 0.0, "sigma"),
        ([0.5, 0.5], np.zeros((2, 3)), np.inf, "sigma"),
    ],
)
def test_a_bad_mixture_is_refused(pi: object, mu: object, sigma: float, message: str) -> None:
    with pytest.raises(MixtureError, match=message):
        Mixture(pi, mu, sigma)  # type: ignore[arg-type]


def test_bad_requests_are_refused(mixture: Mixture) -> None:
    for n, seed, temperature, message in (
        (0, 0, 1.0, "n >= 1"),
        (1, -1, 1.0, "seed >= 0"),
        (1, 0, -1.0, "temperature"),
        (1, 0, np.nan, "temperature"),
    ):
        with pytest.raises(MixtureError, match=message):
            mixture.sample(n, seed, temperature)
    with pytest.raises(MixtureError, match=r"z must be \(n, 64\), got \(64,\)"):
        mixture.log_prob(np.zeros(64))


def candidates(size: int) -> tuple[Draws, np.ndarray]:
    """Draws and signatures (size, 8) in four groups."""
    mixture = Mixture(np.full(4, 0.25), np.random.default_rng(5).standard_normal((4, 8)) * 4, 0.3)
    draws = mixture.sample(size, 0)
    return draws, draws.z.astype(np.float64)


def test_the_best_fit_comes_first_and_the_choice_is_diverse() -> None:
    draws, signature = candidates(40)
    fits = np.full(40, 0.5)
    fits[17] = 1.0
    chosen = choose_for_edits(draws, fits, signature, 4)
    assert chosen[0] == 17
    assert set(draws.component[chosen].tolist()) == {0, 1, 2, 3}
    assert len(set(choose_for_edits(draws, fits, signature, 40).tolist())) == 40


def test_candidates_that_do_not_fit_are_passed_over() -> None:
    draws, signature = candidates(40)
    fits = np.where(draws.component == 2, 0.8, 1e-6)
    chosen = choose_for_edits(draws, fits, signature, 5)
    assert set(draws.component[chosen].tolist()) == {2}


def test_codes_tell_apart_candidates_that_look_the_same() -> None:
    draws, signature = candidates(40)
    chosen = choose_for_edits(draws, np.ones(40), np.zeros_like(signature), 4)
    assert set(draws.component[chosen].tolist()) == {0, 1, 2, 3}


def test_where_nothing_fits_the_choice_is_still_diverse() -> None:
    draws, signature = candidates(40)
    chosen = choose_for_edits(draws, np.zeros(40), signature, 4)
    assert set(draws.component[chosen].tolist()) == {0, 1, 2, 3}


def test_a_bad_choice_is_refused() -> None:
    draws, signature = candidates(6)
    for fits, looks, n, message in (
        (np.ones(5), signature, 2, r"fits must be \(6,\), got \(5,\)"),
        (np.ones(6), signature[:4], 2, r"signature must be \(6, F\)"),
        (np.ones(6), signature, 7, "n in 1..6, got 7"),
        (-np.ones(6), signature, 2, ">= 0"),
        (np.full(6, np.nan), signature, 2, "finite"),
    ):
        with pytest.raises(MixtureError, match=message):
            choose_for_edits(draws, fits, looks, n)
