from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sojourn.errors import InvalidInputError, MissingPropensitiesError
from sojourn.evaluation import InversePropensity, importance_weights, weight_diagnostics
from sojourn.records import FloatArray, LogBatch

MakeLog = Callable[..., LogBatch]
RandomLog = Callable[[int, int], tuple[LogBatch, FloatArray]]


def test_weights_are_products_of_the_ratios(random_log: RandomLog) -> None:
    batch, target = random_log(50, 4)
    assert batch.propensity is not None
    ratio = target / batch.propensity
    np.testing.assert_allclose(importance_weights(batch, target)[:, 0], ratio.prod(axis=1), rtol=1e-13)
    np.testing.assert_allclose(importance_weights(batch, target, weighting="prefix"), ratio.cumprod(axis=1), rtol=1e-13)
    np.testing.assert_array_equal(importance_weights(batch, target, weighting="slot"), ratio)


def test_a_choice_the_target_never_makes_has_weight_zero_from_there_on(make_log: MakeLog) -> None:
    batch = make_log(np.ones((1, 3)), np.full((1, 3), 0.5))
    weights = importance_weights(batch, np.array([[1.0, 0.0, 1.0]]), weighting="prefix")
    np.testing.assert_array_equal(weights, [[2.0, 0.0, 0.0]])


def test_tiny_and_huge_ratios_do_not_get_lost_on_the_way(make_log: MakeLog) -> None:
    propensity = np.array([[1.0, 1.0, 1e-200, 1e-200]])
    target = np.array([[1e-200, 1e-200, 1.0, 1.0]])
    weights = importance_weights(make_log(np.ones((1, 4)), propensity), target)
    assert weights[0, 0] == pytest.approx(1.0, rel=1e-9)


def test_a_weight_too_large_to_mean_anything_is_refused(make_log: MakeLog) -> None:
    batch = make_log(np.ones((2, 4)), np.full((2, 4), 1e-90))
    with pytest.raises(InvalidInputError, match="value fewer slots"):
        InversePropensity(clip=5.0).estimate(batch, np.ones((2, 4)))
    assert InversePropensity(weighting="slot", clip=5.0).estimate(batch, np.ones((2, 4))).value == 20.0


def test_padded_slots_change_nothing(random_log: RandomLog, make_log: MakeLog) -> None:
    batch, target = random_log(200, 2)
    pad = np.full((200, 1), np.nan)
    wide = make_log(
        np.hstack((batch.click, np.ones((200, 1)))),
        np.hstack((np.asarray(batch.propensity), pad)),
        item=np.hstack((batch.item, np.full((200, 1), -1))),
    )
    for weighting in ("slate", "prefix", "slot"):
        estimator = InversePropensity(weighting=weighting)
        wider = estimator.estimate(wide, np.hstack((target, pad)))
        narrow = estimator.estimate(batch, target)
        assert wider.value == pytest.approx(narrow.value, abs=1e-12)
        assert wider.diagnostics.n_clicks == narrow.diagnostics.n_clicks


@pytest.mark.parametrize(("propensity", "says"), [(None, "interleaved"), (np.ones((3, 2)), "deterministic")])
def test_a_log_that_cannot_carry_an_estimate_is_refused(
    make_log: MakeLog, propensity: FloatArray | None, says: str
) -> None:
    with pytest.raises(MissingPropensitiesError, match=says):
        InversePropensity().estimate(make_log(np.ones((3, 2)), propensity), np.ones((3, 2)))


def test_a_deterministic_log_with_a_padded_slot_is_refused_too(make_log: MakeLog) -> None:
    batch = make_log(np.ones((2, 2)), np.array([[1.0, 0.5], [1.0, 0.5]]), item=np.array([[3, -1], [4, -1]]))
    with pytest.raises(MissingPropensitiesError, match="deterministic"):
        importance_weights(batch, np.ones((2, 2)))


@pytest.mark.parametrize("target", [np.full((3, 2), 1.5), np.full((3, 2), -0.1), np.full((3, 2), np.nan)])
def test_targets_that_are_no_probabilities_are_refused(make_log: MakeLog, target: FloatArray) -> None:
    with pytest.raises(InvalidInputError, match=r"\[0, 1\]"):
        importance_weights(make_log(np.ones((3, 2)), np.full((3, 2), 0.5)), target)


def test_other_bad_input_is_refused(make_log: MakeLog) -> None:
    batch = make_log(np.ones((3, 2)), np.full((3, 2), 0.5))
    with pytest.raises(InvalidInputError, match="shape"):
        importance_weights(batch, np.ones((3, 1)))
    wrong: Any = "page"
    with pytest.raises(InvalidInputError, match="weighting"):
        importance_weights(batch, np.ones((3, 2)), weighting=wrong)
    with pytest.raises(InvalidInputError, match="empty"):
        importance_weights(batch.take(slice(0, 0)), np.ones((0, 2)))


def test_diagnostics_of_known_weights(make_log: MakeLog) -> None:
    click = np.array([[1.0], [1.0], [0.0], [1.0]])
    batch = make_log(click, np.full((4, 1), 0.25))
    d = weight_diagnostics(batch, np.array([[0.5], [0.0], [0.25], [0.25]]))  # weights 2, 0, 1, 1
    assert d.effective_n == pytest.approx(16 / 6)
    assert (d.largest, d.mean, d.zero_share, d.n_clicks) == (2.0, 1.0, 0.25, 2)
    assert d.mean_z == 0.0
    assert d.top_share == 0.5
    assert d.statements[0].startswith("2 clicks carry the value")


def test_diagnostics_speak_of_the_slot_that_is_worst_off(make_log: MakeLog) -> None:
    target = np.array([[0.5, 0.9], [0.5, 0.0], [0.5, 0.0]])
    d = weight_diagnostics(make_log(np.ones((3, 2)), np.full((3, 2), 0.5)), target, weighting="slot")
    assert (d.slot, d.effective_n) == (1, 1.0)


def test_clipping_is_reported(make_log: MakeLog) -> None:
    batch = make_log(np.ones((4, 1)), np.full((4, 1), 0.1))
    target = np.array([[0.8], [0.1], [0.1], [0.1]])  # weights 8, 1, 1, 1
    d = InversePropensity(clip=2.0).estimate(batch, target).diagnostics
    assert (d.clipped_share, d.largest, d.mean) == (0.25, 2.0, 2.75)
    assert d.clipped_weight == pytest.approx(6 / 11)
    assert any("25.00% of the weights were clipped at 2" in said for said in d.statements)


def test_wrong_propensities_show_in_the_mean_weight(make_log: MakeLog, rng: np.random.Generator) -> None:
    n = 2_000
    target = rng.uniform(0.4, 0.6, (n, 1))
    d = weight_diagnostics(make_log(np.ones((n, 1)), np.full((n, 1), 0.1)), target)
    assert d.mean_z > 100
    assert "propensities" in d.statements[-1]


def test_a_value_that_hangs_on_a_few_people_is_called_that(make_log: MakeLog) -> None:
    target = np.full((200, 1), 0.001)
    target[:2] = 1.0
    d = weight_diagnostics(make_log(np.ones((200, 1)), np.full((200, 1), 0.5)), target)
    assert d.top_share == pytest.approx(2.0 / (2.0 + 198 * 0.001))
    assert any("hangs on a few people" in said for said in d.statements)
