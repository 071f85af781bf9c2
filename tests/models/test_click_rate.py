from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sojourn.errors import InvalidInputError, LogError, MissingExtraError
from sojourn.exposure import DesignScaling, RowWeighting
from sojourn.interfaces import ClickRateDoubt, ClickRateModel
from sojourn.models import (
    BetaCalibration,
    BoostedClickRate,
    CalibratedClickRate,
    ClassifierClickRate,
    HalfSampledClickRate,
    Isotonic,
    LogisticClickRate,
    Platt,
)
from sojourn.models.boosting import Boosting
from sojourn.records import NO_ITEM, FloatArray, LogBatch

THETA, INTERCEPT = np.array([1.0, -0.5, 0.0]), -1.5
SEEN = np.array([1.0, 0.6, 0.4, 0.3])
K = len(SEEN)


def _boosted() -> BoostedClickRate:
    return BoostedClickRate(boosting=Boosting(n_trees=60, n_leaves=7, min_rows=20, learning_rate=0.1, patience=10))


MAKERS: tuple[Callable[[], ClickRateModel], ...] = (
    LogisticClickRate,
    _boosted,
    lambda: ClassifierClickRate(GaussianNB()),
    lambda: ClassifierClickRate(LGBMClassifier(n_estimators=20, verbose=-1, n_jobs=1)),
    lambda: ClassifierClickRate(make_pipeline(StandardScaler(), LogisticRegression())),
    lambda: CalibratedClickRate(LogisticClickRate(), Platt()),
    lambda: HalfSampledClickRate(LogisticClickRate, n_halves=3),
)


def _rate(features: FloatArray) -> FloatArray:
    return np.asarray(expit(features @ THETA + INTERCEPT))


def _log(rng: np.random.Generator, n: int = 1500, *, seen: FloatArray | None = None) -> LogBatch:
    """Two pages a session; a slot is clicked if it is seen and attracts; the third page of four is a slot short."""
    features = rng.normal(size=(n, K, 3))
    click = (rng.random((n, K)) < _rate(features) * (1.0 if seen is None else seen)).astype(np.float64)
    item = np.arange(n * K).reshape(n, K)
    item[2::4, -1] = NO_ITEM
    click[item == NO_ITEM] = 0.0
    return LogBatch(
        item=item,
        features=features,
        click=click,
        reward=7.0 * click,  # money, not clicks: a click rate must not look at it
        position=np.tile(np.arange(K), (n, 1)),
        session=np.arange(n) // 2,
        step=np.arange(n) % 2 * K,
    )


@pytest.mark.parametrize("make", MAKERS)
def test_each_comes_near_the_truth_and_keeps_the_shape(
    make: Callable[[], ClickRateModel], rng: np.random.Generator
) -> None:
    model, log = make(), _log(rng)
    assert isinstance(model, ClickRateModel)
    assert model.fit(log) is model
    features = rng.normal(size=(20, 5, 3))
    rate = model.click_rate_of(features)
    assert rate.shape == (20, 5)
    assert rate.min() > 0.0
    assert rate.max() < 1.0
    constant = np.sqrt(np.square(_rate(features) - _rate(features).mean()).mean())
    assert np.sqrt(np.square(rate - _rate(features)).mean()) < 0.6 * constant
    assert_allclose(model.click_rate_of(features[3, 4]), rate[3, 4], rtol=1e-12)
    assert_allclose(make().fit(log).click_rate_of(features), rate, rtol=1e-12)  # the same log, the same model


@pytest.mark.parametrize(
    "make",
    [
        lambda exposure: LogisticClickRate(exposure=exposure),
        lambda exposure: ClassifierClickRate(LogisticRegression(), exposure=exposure),
        lambda exposure: ClassifierClickRate(make_pipeline(StandardScaler(), LogisticRegression()), exposure=exposure),
    ],
)
def test_rows_count_by_their_exposure_weight(
    make: Callable[[RowWeighting], ClickRateModel], rng: np.random.Generator
) -> None:
    log = _log(rng)
    log = replace(log, click=np.where(log.position == 0, log.click, 0.0))  # below the top nothing is ever clicked
    top_alone = make(RowWeighting(np.array([1.0, 1e-9, 1e-9, 1e-9]), posterior=False)).fit(log)
    features = rng.normal(size=(100, 3))
    top = log.first_slots(1)
    expected = LogisticClickRate().fit(top).click_rate_of(features)
    assert_allclose(top_alone.click_rate_of(features), expected, atol=0.005)
    assert_allclose(expected, _rate(features), atol=0.1)


def test_posterior_weights_of_a_click_model_undo_the_position_bias(rng: np.random.Generator) -> None:
    class Known:
        """P(seen | clicks) of the model that made the log: what the E-step of a click model would give."""

        def rows(self, batch: LogBatch) -> object:
            p = _rate(batch.features)
            seen = np.where(batch.click == 1.0, 1.0, SEEN * (1.0 - p) / (1.0 - SEEN * p))
            plain = RowWeighting(np.ones(K), posterior=False).rows(batch)
            return replace(plain, weight=seen[batch.shown])

    log = _log(rng, 6000, seen=SEEN)
    features = rng.normal(size=(200, 3))
    weighed = LogisticClickRate(exposure=Known()).fit(log).click_rate_of(features)  # type: ignore[arg-type]
    naive = LogisticClickRate().fit(log).click_rate_of(features)
    assert_allclose(weighed, _rate(features), atol=0.03)
    assert naive.mean() < 0.7 * _rate(features).mean()


def test_laplace_errors_are_the_spread_of_many_fits() -> None:
    features = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [-2.0, 0.0, 1.0], [2.0, -1.0, 0.0]])
    fits = [LogisticClickRate().fit(_log(np.random.default_rng(seed), 300)) for seed in range(150)]
    spread = np.std([fit.click_rate_of(features) for fit in fits], axis=0, ddof=1)
    told = np.mean([fit.click_rate_std_of(features) for fit in fits], axis=0)
    assert_allclose(told / spread, 1.0, atol=4.0 / np.sqrt(2 * 150))
    assert isinstance(fits[0], ClickRateDoubt)


def test_laplace_errors_are_the_curvature_by_hand(rng: np.random.Generator) -> None:
    log = _log(rng, 200)
    model = LogisticClickRate(ridge=3.0).fit(log)
    rows = np.column_stack([log.features[log.shown], np.ones(log.shown.sum())])
    p = model.click_rate_of(rows[:, :3])
    information = (rows * (p * (1.0 - p))[:, None]).T @ rows + np.diag([3.0, 3.0, 3.0, 0.0])
    at = rng.normal(size=(4, 2, 3))
    x = np.concatenate([at, np.ones((4, 2, 1))], axis=-1)
    variance = np.einsum("...i,ij,...j->...", x, np.linalg.inv(information), x)
    q = model.click_rate_of(at)
    assert_allclose(model.click_rate_std_of(at), q * (1.0 - q) * np.sqrt(variance), rtol=1e-9)


def test_the_errors_of_halves_agree_with_laplaces(rng: np.random.Generator) -> None:
    log, features = _log(rng), rng.normal(size=(200, 3))
    sampled = HalfSampledClickRate(LogisticClickRate, n_halves=40).fit(log)
    single = LogisticClickRate().fit(log)
    assert isinstance(sampled, ClickRateDoubt)
    ratio = sampled.click_rate_std_of(features) / single.click_rate_std_of(features)
    assert np.median(ratio) == pytest.approx(1.0, abs=0.3)
    assert_allclose(sampled.click_rate_of(features), single.click_rate_of(features))


@pytest.mark.parametrize("make", [LogisticClickRate, _boosted])
def test_a_model_survives_its_json_to_the_last_bit(
    make: Callable[[], LogisticClickRate | BoostedClickRate], rng: np.random.Generator
) -> None:
    model, features = make().fit(_log(rng, 300)), rng.normal(size=(50, 3))
    again = type(model).from_json(model.to_json())
    assert_array_equal(again.click_rate_of(features), model.click_rate_of(features))
    assert again.to_json() == model.to_json()
    if isinstance(again, LogisticClickRate) and isinstance(model, LogisticClickRate):
        assert_array_equal(again.click_rate_std_of(features), model.click_rate_std_of(features))
        assert again.ridge == model.ridge
    with pytest.raises(InvalidInputError, match=f"expected the JSON of a {type(model).__name__}"):
        type(model).from_json('{"kind": "Platt", "slope": 1.0}')


def test_boosting_stops_when_held_out_sessions_say_so(rng: np.random.Generator) -> None:
    log = _log(rng)
    noise = replace(log, click=rng.permuted(log.click, axis=0) * log.shown)
    assert _boosted().fit(noise).n_trees < 10  # fewer than the patience: what came after the best is dropped
    assert 20 < _boosted().fit(log).n_trees <= 60


@pytest.mark.parametrize("calibrator", [Platt(), BetaCalibration(), Isotonic()])
def test_calibration_undoes_what_a_model_distorts(
    calibrator: Platt | BetaCalibration | Isotonic, rng: np.random.Generator
) -> None:
    class Distorted(LogisticClickRate):
        def click_rate_of(self, features: FloatArray) -> FloatArray:
            return super().click_rate_of(features) ** 2

    calibrated = CalibratedClickRate(Distorted(), calibrator)
    features = rng.normal(size=(500, 3))
    rate = calibrated.fit(_log(rng, 4000)).click_rate_of(features)
    assert np.abs(rate - _rate(features)).mean() < 0.03
    assert np.abs(calibrated.model.click_rate_of(features) - _rate(features)).mean() > 0.1


def test_the_calibrator_sees_sessions_that_the_model_did_not(rng: np.random.Generator) -> None:
    seen: dict[str, LogBatch] = {}

    class Watched(LogisticClickRate):
        def fit(self, batch: LogBatch) -> Watched:
            seen["model"] = batch
            super().fit(batch)
            return self

    class Weighs:
        def rows(self, batch: LogBatch) -> object:
            seen["calibrator"] = batch
            return RowWeighting(np.ones(K), posterior=False).rows(batch)

    log = _log(rng, 400)
    CalibratedClickRate(Watched(), Platt(), exposure=Weighs(), held_out_share=0.25).fit(log)  # type: ignore[arg-type]
    ours, theirs = set(seen["model"].session.tolist()), set(seen["calibrator"].session.tolist())
    assert not ours & theirs
    assert (len(ours), len(theirs)) == (150, 50)


def test_the_given_classifier_is_cloned(rng: np.random.Generator) -> None:
    forest = RandomForestClassifier(n_estimators=5, max_depth=4, random_state=0)
    model = ClassifierClickRate(forest).fit(_log(rng, 200))
    assert not hasattr(forest, "estimators_")
    assert hasattr(model.fitted, "estimators_")


def test_a_classifier_without_row_weights_serves_where_none_are_needed(rng: np.random.Generator) -> None:
    log = _log(rng, 200)
    ClassifierClickRate(KNeighborsClassifier()).fit(log)
    unequal = RowWeighting(SEEN, posterior=False)
    with pytest.raises(InvalidInputError, match=r"fit takes sample_weight.*KNeighborsClassifier"):
        ClassifierClickRate(KNeighborsClassifier(), exposure=unequal).fit(log)


def test_a_classifier_that_only_decides_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="predict_proba, got LinearSVC"):
        ClassifierClickRate(LinearSVC())


def test_a_correction_that_changes_features_is_refused(rng: np.random.Generator) -> None:
    with pytest.raises(InvalidInputError, match="weighs rows, such as RowWeighting, got one that changes features"):
        LogisticClickRate(exposure=DesignScaling(SEEN)).fit(_log(rng, 50))


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("click", [0.0, 1.0])
def test_clicks_of_one_kind_are_refused(
    make: Callable[[], ClickRateModel], click: float, rng: np.random.Generator
) -> None:
    log = _log(rng, 60)
    with pytest.raises(LogError, match="both kinds, clicked and not"):
        make().fit(replace(log, click=np.full(log.click.shape, click)))


@pytest.mark.parametrize("make", MAKERS)
def test_asking_before_fitting_or_with_another_width_is_refused(
    make: Callable[[], ClickRateModel], rng: np.random.Generator
) -> None:
    with pytest.raises(InvalidInputError, match="expected a fitted model; call fit first"):
        make().click_rate_of(np.zeros((2, 3)))
    with pytest.raises(InvalidInputError, match=r"features: expected shape \(\.\.\., 3\).*got \(2, 4\)"):
        make().fit(_log(rng, 400)).click_rate_of(np.zeros((2, 4)))


def test_settings_out_of_range_are_refused(rng: np.random.Generator) -> None:
    with pytest.raises(InvalidInputError, match="ridge: expected a finite number > 0, got 0"):
        LogisticClickRate(ridge=0.0)
    for settings in ({"n_trees": 0}, {"n_leaves": 1}, {"min_rows": 0}, {"patience": 0}, {"learning_rate": 0.0}):
        with pytest.raises(InvalidInputError, match="n_trees, n_leaves"):
            Boosting(**settings)
    with pytest.raises(InvalidInputError, match="share: expected a number"):
        BoostedClickRate(boosting=Boosting(held_out_share=1.0)).fit(_log(rng, 20))
    with pytest.raises(InvalidInputError, match="n_halves: expected at least 2"):
        HalfSampledClickRate(LogisticClickRate, n_halves=1)
    log = _log(rng, 200)
    with pytest.raises(InvalidInputError, match="at least one, got none"):
        _boosted().fit(replace(log, features=log.features[..., :0]))


def test_without_lightgbm_or_scikit_learn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for package, name, make in (
        ("lightgbm", "lightgbm", BoostedClickRate),
        ("sklearn.base", "scikit-learn", lambda: ClassifierClickRate(GaussianNB())),
    ):
        with monkeypatch.context() as missing:
            missing.setitem(sys.modules, package, None)
            with pytest.raises(MissingExtraError, match=rf"needs {name}, .*sojourn\[learn\]"):
                make()
