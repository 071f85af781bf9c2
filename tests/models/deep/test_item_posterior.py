from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import chisquare
from torch import Tensor

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import FieldEmbedding, FieldNetwork
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty import ImpressionCounts, ItemPosterior
from sojourn.models.deep.uncertainty.item_posterior import learned_prior
from sojourn.records import Categorical, FieldLayout, Look, Numeric

N_CODES = 412
LAYOUT = FieldLayout(fields=(Numeric("context"), Categorical("item", N_CODES, "item")), item_id="item")
GRID = torch.arange(-30, 31) * 0.1
FloatArray = NDArray[np.float64]


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


def _item_weights(network: FieldNetwork) -> Tensor:
    """Of the items of an additive network, (c, 1)."""
    return network.get_parameter("embedding.parts.1.weight").detach()


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _begun(network: FieldNetwork, **settings: Any) -> ItemPosterior:
    posterior = ItemPosterior(**settings)
    posterior.begin(network, LAYOUT, _Additive, generator=_generator())
    return posterior


def _clicks(items: list[int], rates: list[float], n_each: int) -> TrainRows:
    """So many rows of each item, of which that share is clicked, to the nearest row."""
    code = torch.tensor(items).repeat_interleave(n_each)
    click = torch.cat([(torch.arange(n_each) < round(rate * n_each)).float() for rate in rates])
    context = torch.randn(len(code), generator=_generator(5))
    return TrainRows(features=torch.column_stack([context, code]), click=click, weight=torch.ones(len(code)))


def _look(network: FieldNetwork, *items: int) -> Look:
    features = torch.tensor([[[0.4, float(item)] for item in items]])
    with torch.no_grad():
        embedding = network.embed(features)
        return Look(features=features, embedding=embedding, log_odds=network.from_embedding(embedding))


def _posterior(network: FieldNetwork, posterior: ItemPosterior, rows: TrainRows, item: int) -> FloatArray:
    """Of the item's offset, (g,), in float64 and by its rows alone."""
    mine = rows.take((rows.features[:, 1] == item).nonzero().squeeze(1))
    weight = _item_weights(network)[:, 0].double()
    plain = -1.0 + mine.features[:, 0].double() + weight[0]  # as if the item were unknown
    z = (plain[:, None] + GRID.double()).numpy()
    log_likelihood = np.where(mine.click[:, None] > 0, np.log(expit(z)), np.log(expit(-z))).sum(0)
    joint: FloatArray = np.exp(log_likelihood - log_likelihood.max()) * posterior.prior[1].double().numpy()
    joint /= joint.sum()
    return joint


# The prior.


def _objective(log_likelihood: Tensor, prior: FloatArray, start: Tensor, n_start: float) -> FloatArray:
    """What the algorithm climbs, (...,) of priors (..., g): the start's pseudo-items included."""
    likelihood = log_likelihood.double().exp().numpy()
    return np.asarray(np.log(prior @ likelihood.T).sum(-1) + n_start * np.log(prior) @ start.double().numpy())


def _problem() -> tuple[Tensor, Tensor]:
    log_likelihood = torch.tensor([[0.0, -3, -6], [-0.5, 0, -4], [-5, -2, 0], [-8, -3, -0.5], [-6, -2.5, 0]])
    return log_likelihood, torch.tensor([0.2, 0.6, 0.2])


def test_the_prior_is_the_best_of_all_on_a_fine_grid_of_priors() -> None:
    log_likelihood, start = _problem()
    n_start = 1.5
    found = learned_prior(log_likelihood, start, n_start=n_start).double().numpy()
    ticks = np.arange(1, 200)
    every = np.array([(a, b, 200 - a - b) for a, b in product(ticks, ticks) if a + b < 200]) / 200
    values = _objective(log_likelihood, every, start, n_start)
    assert_allclose(found, every[values.argmax()], atol=0.006)
    assert _objective(log_likelihood, found, start, n_start) > values.max() - 1e-5
    assert found.sum() == pytest.approx(1.0, abs=1e-6)


def test_every_round_climbs(monkeypatch: pytest.MonkeyPatch) -> None:
    log_likelihood, start = _problem()
    climbed = []
    for n_rounds in range(8):
        monkeypatch.setattr("sojourn.models.deep.uncertainty.item_posterior._ROUNDS", n_rounds)
        prior = learned_prior(log_likelihood, start, n_start=0.5).double().numpy()
        climbed.append(float(_objective(log_likelihood, prior, start, 0.5)))
    assert (np.diff(climbed) > 0.0).all()


def test_a_round_averages_posteriors_and_the_start_counts_as_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sojourn.models.deep.uncertainty.item_posterior._ROUNDS", 1)
    log_likelihood, start = _problem()
    posteriors = [torch.softmax(row + start.log(), dim=0) for row in log_likelihood]
    expected = (torch.stack(posteriors).sum(0) + 3.0 * start) / (len(posteriors) + 3.0)
    torch.testing.assert_close(learned_prior(log_likelihood, start, n_start=3.0), expected)


def test_items_that_say_nothing_leave_the_start() -> None:
    start = torch.tensor([0.2, 0.6, 0.2])
    for n_items in (0, 7):
        torch.testing.assert_close(learned_prior(torch.full((n_items, 3), -5.0), start, n_start=1.0), start)


def test_it_finds_both_points_of_a_prior_that_has_two() -> None:
    n_items, n_each, good = 400, 60, 80
    rng = np.random.default_rng(0)
    offset = np.where(np.arange(n_items) < good, 1.0, -1.0)
    network = _network()
    rows = _clicks(list(range(1, n_items + 1)), [0.0] * n_items, n_each)
    unknown = float(_item_weights(network)[0])
    chance = expit(-1.0 + rows.features[:, 0].numpy() + unknown + np.repeat(offset, n_each))
    rows.click.copy_(torch.from_numpy(rng.random(len(chance)) < chance))
    posterior = _begun(network)
    posterior.observe(rows, generator=_generator())
    grid, prior = (part.double().numpy() for part in posterior.prior)
    above = grid > 0.0
    information = float((chance * (1.0 - chance)).mean())
    assert abs(prior[above].sum() - 0.2) < 4.0 * np.sqrt(0.2 * 0.8 / n_items)
    assert prior[np.abs(grid) < 0.35].sum() < 0.02
    for mode, point, n_mode in ((above, 1.0, good), (~above, -1.0, n_items - good)):
        mean = prior[mode] @ grid[mode] / prior[mode].sum()
        assert abs(mean - point) < 4.0 / np.sqrt(n_mode * n_each * information)


# The posterior.


def test_mean_shift_and_spread_are_those_of_all_offsets_enumerated() -> None:
    network = _network()
    posterior = _begun(network)
    rows = _clicks([3, 4, 7], [0.0, 0.5, 0.2], 30)
    posterior.observe(rows, generator=_generator())
    look = _look(network, 3, 4, 7)
    grid = GRID.double().numpy()
    weight = _item_weights(network)[:, 0]
    for place, item in enumerate((3, 4, 7)):
        chance = _posterior(network, posterior, rows, item)
        mean = chance @ grid
        std = np.sqrt(chance @ (grid - mean) ** 2)
        assert float(posterior.spread(look)[0, place]) == pytest.approx(std, abs=1e-4)
        assert float(posterior.shift(look)[0, place]) == pytest.approx(mean - float(weight[item] - weight[0]), abs=1e-4)


def test_shifted_the_item_is_an_unknown_one_with_its_posterior_mean() -> None:
    network = _network()
    posterior = _begun(network)
    rows = _clicks([3, 4], [0.0, 0.5], 30)
    posterior.observe(rows, generator=_generator())
    means = [_posterior(network, posterior, rows, item) @ GRID.double().numpy() for item in (3, 4)]
    for _ in range(2):  # whatever the network thinks of the items
        look, unknown = _look(network, 3, 4), _look(network, 0, 0)
        shifted = look.log_odds + posterior.shift(look)
        assert_allclose(shifted, unknown.log_odds + torch.tensor([means]), atol=1e-4)
        _item_weights(network)[3:5] += torch.tensor([[2.0], [-1.0]])
        posterior.observe(rows.take(torch.arange(0)), generator=_generator())


def test_items_never_shown_get_the_prior() -> None:
    network = _network()
    posterior = _begun(network)
    posterior.observe(_clicks([0, 3, 4], [1.0, 0.0, 0.5], 30), generator=_generator())
    look = _look(network, 0, 9)
    grid, prior = posterior.prior
    mean = prior @ grid
    std = (prior @ (grid - mean) ** 2).sqrt()
    torch.testing.assert_close(posterior.shift(look), mean.expand(1, 2), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(posterior.spread(look), std.expand(1, 2), rtol=1e-5, atol=1e-5)


def test_what_it_takes_over_counts_even_if_it_has_answered_before() -> None:
    network = _network()
    one, other = _begun(network), _begun(network)
    one.observe(_clicks([3, 4], [0.0, 0.5], 30), generator=_generator())
    look = _look(network, 3, 4, 9)
    assert not torch.equal(other.spread(look), one.spread(look))
    other.restore(one.state())
    assert torch.equal(other.shift(look), one.shift(look))
    draws = [each.deviation(look, generator=_generator(1)) for each in (one, other)]
    assert torch.equal(*draws)


def test_before_any_item_the_prior_is_normal() -> None:
    grid, prior = _begun(_network(), prior_std=0.4).prior
    torch.testing.assert_close(grid, GRID)
    assert float(prior @ grid) == pytest.approx(0.0, abs=1e-6)
    assert float((prior @ grid**2).sqrt()) == pytest.approx(0.4, rel=1e-4)


def test_draws_have_the_chances_of_the_posterior() -> None:
    network = _network()
    posterior = _begun(network)
    rows = _clicks([3, 4], [0.1, 0.6], 20)
    posterior.observe(rows, generator=_generator())
    n_draws = 30_000
    look = _look(network, *([3] * n_draws))
    drawn = posterior.deviation(look, generator=_generator(1))[0].double().numpy()
    chance, grid = _posterior(network, posterior, rows, 3), GRID.double().numpy()
    place = np.rint((drawn + chance @ grid - grid[0]) / 0.1).astype(int)
    assert_allclose(grid[place] - chance @ grid, drawn, atol=1e-4)
    often = n_draws * chance >= 5.0
    counts = np.bincount(place, minlength=61)
    observed, expected = (np.append(each[often], each[~often].sum()) for each in (counts, n_draws * chance))
    assert chisquare(observed, expected * n_draws / expected.sum()).pvalue > 1e-3
    assert abs(np.corrcoef(drawn[::2], drawn[1::2])[0, 1]) < 4.0 / np.sqrt(n_draws / 2)  # candidates are independent


@pytest.mark.parametrize("number", [0.0, 1.0 - 2.0**-24])
def test_no_number_draws_an_offset_that_is_out_of_the_question(number: float, monkeypatch: pytest.MonkeyPatch) -> None:
    network = _network()
    posterior = _begun(network)
    items = list(range(1, 40))
    rows = _clicks(items, [0.01 * item for item in items], 1_000)
    posterior.observe(rows, generator=_generator())
    monkeypatch.setattr(torch, "rand", lambda shape, **_: torch.full(shape, number))
    look = _look(network, *items)
    drawn = posterior.deviation(look, generator=_generator())[0].double().numpy()
    for item, deviation in zip(items, drawn, strict=True):
        chances = _posterior(network, posterior, rows, item)
        place = round((deviation + chances @ GRID.double().numpy() + 3.0) / 0.1)
        assert chances[place] > 1e-9


def test_sure_evidence_against_a_narrow_prior_is_believed() -> None:
    network = _network()
    posterior = _begun(network, prior_std=0.05)
    posterior.observe(_clicks([3, 4], [0.0, 0.99], 2_000), generator=_generator())
    look = _look(network, 3, 4)
    assert torch.isfinite(posterior.shift(look)).all()
    weight = _item_weights(network)[:, 0]
    means = posterior.shift(look)[0] + (weight[3:5] - weight[0])
    assert_allclose(means, [-3.0, 3.0], atol=0.05)


@pytest.mark.parametrize("uncertainty", [ItemPosterior(), ImpressionCounts()])
def test_the_layout_must_tell_items_apart(uncertainty: ItemPosterior | ImpressionCounts) -> None:
    with pytest.raises(InvalidInputError, match="item_id: expected the name of the field"):
        uncertainty.begin(_network(), FieldLayout(fields=LAYOUT.fields), _Additive, generator=_generator())


@pytest.mark.parametrize(
    ("name", "value"),
    [("window", 0), ("window", 0.5), ("prior_std", 0.0), ("prior_std", float("nan")), ("prior_items", float("inf"))],
)
def test_bad_settings_are_refused(name: str, value: float) -> None:
    with pytest.raises(InvalidInputError, match=f"{name}: expected .*, got {value}"):
        ItemPosterior(**{name: value})  # type: ignore[arg-type]
