from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.special import expit
from torch import Tensor
from torch.nn.functional import logsigmoid

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import FieldEmbedding, FieldNetwork
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty import ImpressionCounts
from sojourn.models.deep.uncertainty.impressions import likeliest_std
from sojourn.models.deep.uncertainty.item_evidence import Evidence
from sojourn.records import Categorical, FieldLayout, Look, Numeric

LAYOUT = FieldLayout(fields=(Numeric("context"), Categorical("item", 302, "item")), item_id="item")
GRID = torch.linspace(-3.0, 3.0, 61)
STDS = np.logspace(math.log10(0.05), math.log10(1.5), 40)


class _Additive(FieldNetwork):
    """-1 + context + a random weight of the item."""

    def __init__(self, layout: FieldLayout) -> None:
        super().__init__(FieldEmbedding(layout, size=1))

    def from_embedding(self, embedding: Tensor) -> Tensor:
        return embedding.sum(-1) - 1.0


def _network() -> FieldNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return _Additive(LAYOUT).eval()


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _begun(**settings: Any) -> ImpressionCounts:
    counts = ImpressionCounts(**settings)
    counts.begin(_network(), LAYOUT, _Additive, generator=_generator())
    return counts


def _rows(items: list[int], weights: list[float] | None = None) -> TrainRows:
    generator = _generator(1)
    n_rows = len(items)
    return TrainRows(
        features=torch.column_stack([torch.randn(n_rows, generator=generator), torch.tensor(items)]),
        click=torch.bernoulli(torch.full((n_rows,), 0.3), generator=generator),
        weight=torch.ones(n_rows) if weights is None else torch.tensor(weights),
    )


def _look(*items: int) -> Look:
    network = _network()
    features = torch.tensor([[[0.4, float(item)] for item in items]])
    with torch.no_grad():
        embedding = network.embed(features)
        return Look(features=features, embedding=embedding, log_odds=network.from_embedding(embedding))


def test_the_spread_is_that_of_a_normal_posterior_after_so_many_impressions() -> None:
    counts = _begun(prior_std=0.5, information=0.04)
    counts.observe(_rows([3, 3, 4, 0, 3], [1.0, 0.5, 2.0, 7.0, 1.0]), generator=_generator())
    counts.observe(_rows([4, 0]), generator=_generator())
    n = np.array([0.0, 2.5, 3.0, 0.0])  # by weight; the unknown item and one never shown stay new
    assert_allclose(counts.spread(_look(0, 3, 4, 9))[0], 1.0 / np.sqrt(0.04 * n + 1.0 / 0.5**2), rtol=1e-6)
    assert counts.prior == (0.5, 0.04)


def test_the_networks_log_odds_stay() -> None:
    counts = _begun()
    counts.observe(_rows([3, 4] * 20), generator=_generator())
    assert not counts.shift(_look(0, 3, 9)).any()


def test_deviations_are_normal_with_that_spread_and_independent_by_candidate() -> None:
    counts = _begun(prior_std=0.5, information=0.04)
    counts.observe(_rows([3] * 50), generator=_generator())
    look = _look(*[3, 9] * 20_000)
    drawn = counts.deviation(look, generator=_generator(2)).view(-1, 2).double()
    z = drawn / counts.spread(look)[0, :2]
    assert (z.mean(0).abs() < 4.0 / np.sqrt(20_000)).all()
    assert ((z.square().mean(0) - 1.0).abs() < 4.0 * np.sqrt(2.0 / 20_000)).all()
    assert abs(float((z[:, 0] * z[:, 1]).mean())) < 4.0 / np.sqrt(20_000)


def _evidence(log_likelihood: Tensor, impressions: Tensor) -> Evidence:
    return Evidence(
        base=torch.zeros(len(impressions)), log_likelihood=log_likelihood, impressions=impressions, information=0.2
    )


def _likelihood_of(std: float, evidence: Evidence) -> float:
    """Log-likelihood of all clicks under offsets from a normal prior on the grid, item by item in float64."""
    prior = np.exp(-0.5 * (GRID.double().numpy() / std) ** 2)
    prior /= prior.sum()
    total = 0.0
    for item in range(len(evidence.impressions)):
        if evidence.impressions[item] > 0.0:
            total += float(np.log(np.exp(evidence.log_likelihood[item].double().numpy()) @ prior))
    return total


@pytest.mark.parametrize("scale", [0.1, 0.4, 1.2])
def test_the_learned_std_is_the_best_of_all_by_hand(scale: float) -> None:
    generator = _generator(3)
    offset = scale * torch.randn((40, 1), generator=generator)
    n_impressions, n_clicks = torch.full((40, 1), 30.0), torch.zeros((40, 1))
    n_clicks = torch.binomial(n_impressions, (offset - 1.0).sigmoid(), generator=generator)
    z = GRID - 1.0
    log_likelihood = n_clicks * logsigmoid(z) + (30.0 - n_clicks) * logsigmoid(-z)
    log_likelihood[7] = 50.0 * (GRID + 3.0)  # what is said of an item that nobody met does not count
    n_impressions[7] = 0.0
    evidence = _evidence(log_likelihood, n_impressions[:, 0])
    by_hand = np.array([_likelihood_of(std, evidence) for std in STDS])
    found = likeliest_std(evidence, GRID)
    assert_allclose(STDS[np.abs(STDS - found).argmin()], found, rtol=1e-5)
    assert _likelihood_of(found, evidence) > by_hand.max() - 1e-3


def test_items_that_lie_as_far_as_the_grid_goes_have_the_widest_prior() -> None:
    far = -4_000.0 * (GRID - 3.0).square().repeat(5, 1) - 10_000.0
    assert likeliest_std(_evidence(far, torch.ones(5)), GRID) == pytest.approx(1.5)


def test_without_items_the_std_is_1() -> None:
    counts = _begun()
    assert counts.prior == (1.0, 0.0)
    assert_allclose(counts.spread(_look(0, 3)), np.ones((1, 2)))


def test_it_learns_how_far_items_lie_apart_and_what_an_impression_tells() -> None:
    n_items, n_each, std = 300, 60, 0.8
    rng = np.random.default_rng(4)
    network = _network()
    counts = _begun()
    rows = _rows([item for item in range(1, n_items + 1) for _ in range(n_each)])
    plain = rows.features[:, 0].numpy() - 1.0 + float(network.get_parameter("embedding.parts.1.weight")[0].detach())
    chance = expit(plain + np.repeat(std * rng.standard_normal(n_items), n_each))
    rows.click.copy_(torch.from_numpy(rng.random(len(chance)) < chance))
    counts.observe(rows, generator=_generator())
    learned, information = counts.prior
    # The s.e. of log std is that of n offsets, each known up to a variance v: (1 + v / std^2) / sqrt(2 n).
    v = 1.0 / (n_each * (chance * (1.0 - chance)).mean())
    assert abs(math.log(learned / std)) < 4.0 * (1.0 + v / std**2) / math.sqrt(2.0 * n_items) + 0.05
    with torch.no_grad():
        p = network(rows.features).sigmoid().double()
    assert information == pytest.approx(float((p * (1.0 - p)).mean()), rel=1e-4)


@pytest.mark.parametrize("settings", [{}, {"prior_std": 0.5, "information": 0.04}])
def test_a_restored_one_answers_alike(settings: dict[str, float]) -> None:
    one, other = _begun(**settings), _begun(**settings)
    one.observe(_rows([3, 4, 4, 5] * 10), generator=_generator())
    other.observe(_rows([9] * 5), generator=_generator())
    other.spread(_look(3))
    state = one.state()
    other.restore(state)
    look = _look(0, 3, 4, 9)
    assert torch.equal(other.spread(look), one.spread(look))
    draws = [each.deviation(look, generator=_generator(1)) for each in (one, other)]
    assert torch.equal(*draws)
    one.observe(_rows([3]), generator=_generator())
    assert torch.equal(state["count"], other.state()["count"])


def test_a_given_prior_keeps_no_rows() -> None:
    counts = _begun(prior_std=0.5, information=0.04)
    counts.observe(_rows([3, 4]), generator=_generator())
    assert len(counts.state()["rows"]) == 0


def test_a_state_of_another_layout_is_refused() -> None:
    counts = _begun()
    state = counts.state()
    with pytest.raises(InvalidInputError, match=r"\(302,\).*got \{'count': \(7,\)\}"):
        counts.restore({**state, "count": torch.zeros(7)})
    with pytest.raises(InvalidInputError, match=r"got \{\}"):
        counts.restore({})
    with pytest.raises(InvalidInputError, match="item evidence, got"):
        counts.restore({"count": state["count"]})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prior_std": 0.5}, "prior_std and information: expected both or neither, got 0.5 and None"),
        ({"information": 0.5}, "prior_std and information: expected both or neither, got None and 0.5"),
        (
            {"prior_std": 0.0, "information": 0.1},
            "prior_std: expected a finite number > 0, or None to learn it, got 0.0",
        ),
        ({"prior_std": 0.5, "information": math.inf}, "information: expected a finite number > 0"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        ImpressionCounts(**settings)
