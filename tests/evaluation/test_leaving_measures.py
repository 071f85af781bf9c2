from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from scipy.stats import spearmanr

from sojourn.errors import InvalidInputError, LogError
from sojourn.evaluation import auc, judge_leaving, log_loss, paired_page_log_loss
from sojourn.evaluation.survival_curve import survival_curve
from sojourn.records import NO_ITEM, FloatArray, LogBatch

PHI, LEVEL = np.array([1.0, 0.6]), -3.5


class LinearHazard:
    """sigmoid(phi . x + level), a little more at each slot; fitted by being told."""

    def __init__(self, phi: FloatArray = PHI, level: float = LEVEL, drift: float = 0.0) -> None:
        self.phi, self.level, self.drift = phi, level, drift

    def fit(self, batch: LogBatch) -> LinearHazard:
        return self

    def hazard_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        return np.asarray(expit(features @ self.phi + self.level + self.drift * step))

    def page_survival(self, batch: LogBatch) -> FloatArray:
        slots = [1.0 - self.hazard_of(batch.features[:, slot], step=slot) for slot in range(batch.n_slots)]
        return np.asarray(np.prod(np.where(batch.shown, np.stack(slots, axis=1), 1.0), axis=1))


def _log(rng: np.random.Generator, n_sessions: int, *, most: int = 10, lost: float = 0.0, k: int = 5) -> LogBatch:
    """Pages of 3 to k items until the person leaves, or is lost (a share ``lost`` a page), ``most`` at most."""
    truth, session, features, item, quits = LinearHazard(), [], [], [], []
    for code in range(n_sessions):
        for _ in range(most):
            x, shown = rng.normal(size=(k, 2)), np.arange(k) < rng.integers(3, k + 1)
            left = bool(rng.random() > np.prod(1.0 - truth.hazard_of(x)[shown]))
            is_lost = bool(rng.random() < lost)
            session.append(code)
            features.append(x)
            item.append(np.where(shown, 1, NO_ITEM))
            quits.append(left and not is_lost)
            if left or is_lost:
                break
    n = len(session)
    step = np.arange(n)  # rises within a session, which is all that counts
    return LogBatch(
        item=np.array(item),
        features=np.array(features),
        click=np.zeros((n, k)),
        reward=np.zeros((n, k)),
        position=np.tile(np.arange(k), (n, 1)),
        session=np.array(session),
        step=step,
        quits=np.array(quits),
    )


@pytest.fixture
def log(rng: np.random.Generator) -> LogBatch:
    return _log(rng, 800, most=200, lost=0.05)


def _pages(sessions: list[str], survival: list[float]) -> tuple[LogBatch, LinearHazard]:
    """One session per word: a page per letter, g = goes on, q = quits, ? = the log breaks off."""
    letters = "".join(sessions)
    n = len(letters)

    class Told(LinearHazard):
        def hazard_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
            return features[..., 0]

    batch = LogBatch(
        item=np.zeros((n, 1), dtype=np.int64),
        features=1.0 - np.array(survival).reshape(n, 1, 1),
        click=np.zeros((n, 1)),
        reward=np.zeros((n, 1)),
        position=np.zeros((n, 1), dtype=np.int64),
        session=np.repeat(np.arange(len(sessions)), [len(word) for word in sessions]),
        step=np.concatenate([np.arange(len(word)) for word in sessions]),
        quits=np.array([letter == "q" for letter in letters]),
    )

    class Survives(Told):
        def page_survival(self, batch: LogBatch) -> FloatArray:
            return np.asarray(1.0 - batch.features[:, 0, 0])

    return batch, Survives()


def test_figures_by_hand() -> None:
    batch, model = _pages(["gq", "q", "ggg?", "g?"], [0.9, 0.5, 0.6, 0.8, 0.7, 0.9, 0.2, 0.6, 0.1])
    report = judge_leaving(model, batch, n_bins=2)
    known = np.array([0, 1, 2, 3, 4, 5, 7])  # the breaks are not judged
    survival = np.array([0.9, 0.5, 0.6, 0.8, 0.7, 0.9, 0.6])
    left = np.array([0, 1, 1, 0, 0, 0, 0], dtype=np.float64)
    assert (report.n_pages, report.n_left, report.n_not_judged) == (7, 2, 2)
    assert report.log_loss.value == pytest.approx(log_loss(1.0 - survival, left))
    assert report.auc == pytest.approx(auc(1.0 - survival, left)) == pytest.approx(9.5 / 10.0)
    assert report.bag_auc == pytest.approx(report.auc)  # pages of one item
    assert len(known) == report.reliability.count.sum()


def test_the_order_of_the_rounds_does_not_matter(log: LogBatch, rng: np.random.Generator) -> None:
    mixed = log.take(rng.permutation(log.n_rounds))
    there, here = judge_leaving(LinearHazard(), mixed).to_dict(), judge_leaving(LinearHazard(), log).to_dict()
    for name in ("n_pages", "n_left", "n_not_judged"):
        assert there[name] == here[name]
    for name in ("log_loss", "log_loss_stderr", "auc", "auc_stderr", "bag_auc"):
        assert there[name] == pytest.approx(here[name])
    assert_allclose(there["curve"]["empirical"], here["curve"]["empirical"])


def test_kaplan_and_meier_by_hand() -> None:
    page, left = np.repeat([0, 1, 2, 3], [40, 25, 20, 19]), np.zeros(104, dtype=np.bool_)
    left[:10] = True  # 10 of 40; 5 are lost; 5 of 25; then 4 of 20; the last page has too few
    left[40:45] = True
    left[65:69] = True
    survival = np.repeat([0.8, 0.7, 0.9, 0.5], [40, 25, 20, 19])
    curve = survival_curve(page, left, survival)
    assert_array_equal(curve.at_risk, [40, 25, 20])
    assert_allclose(curve.empirical, [0.75, 0.75 * 0.8, 0.75 * 0.8 * 0.8])
    assert_allclose(curve.predicted, [0.8, 0.56, 0.504])
    greenwood = np.cumsum([10 / (40 * 30), 5 / (25 * 20), 4 / (20 * 16)])
    assert_allclose(curve.stderr, curve.empirical * np.sqrt(greenwood))
    assert curve.gap == pytest.approx(0.05)


def test_a_curve_of_few_sessions_has_its_first_page_and_may_end_at_0() -> None:
    curve = survival_curve(np.zeros(3, dtype=np.int64), np.ones(3, dtype=np.bool_), np.full(3, 0.5))
    assert_allclose([curve.empirical, curve.stderr, curve.predicted], [[0.0], [0.0], [0.5]])


def test_censored_sessions_do_not_bend_the_curve() -> None:
    rng = np.random.default_rng(8)
    z = []
    for _ in range(15):
        curve = judge_leaving(LinearHazard(), _log(rng, 400, most=60, lost=0.2)).curve
        z.append((curve.empirical[3] - curve.predicted[3]) / curve.stderr[3])
    assert abs(np.mean(z)) < 4.0 / np.sqrt(15)


def test_pages_where_sessions_are_cut_off_are_not_judged() -> None:
    rng = np.random.default_rng(9)
    z = []
    for _ in range(15):  # at the last of 2 pages only leaving can be seen
        batch = _log(rng, 300, most=2)
        report = judge_leaving(LinearHazard(), batch)
        assert report.n_pages == 300
        expected = 1.0 - report.reliability.probability @ report.reliability.count / report.n_pages
        share = 1.0 - report.n_left / report.n_pages
        z.append((share - expected) / np.sqrt(share * (1.0 - share) / 300))
    assert abs(np.mean(z)) < 4.0 / np.sqrt(15)


def test_a_complete_log_is_judged_to_its_last_page() -> None:
    batch, model = _pages(["ggq", "q"], [0.9, 0.8, 0.5, 0.5])
    report = judge_leaving(model, batch)
    assert (report.n_pages, report.n_left, report.n_not_judged) == (4, 2, 0)


def test_the_truth_has_the_lowest_log_loss_and_the_pairs_say_how_surely(log: LogBatch) -> None:
    for worse in (LinearHazard(0.3 * PHI), LinearHazard(level=-2.5), LinearHazard(-PHI), LinearHazard(0.0 * PHI)):
        lead = paired_page_log_loss(LinearHazard(), worse, log)
        assert lead.value < -3.0 * lead.stderr
        assert paired_page_log_loss(worse, LinearHazard(), log).value == -lead.value
        direct = [judge_leaving(model, log).log_loss.value for model in (LinearHazard(), worse)]
        assert lead.value == pytest.approx(direct[0] - direct[1])
    assert paired_page_log_loss(LinearHazard(), LinearHazard(), log).stderr == 0.0


def test_pairing_pays(log: LogBatch) -> None:
    near = LinearHazard(0.9 * PHI)
    assert paired_page_log_loss(LinearHazard(), near, log).stderr < 0.2 * judge_leaving(near, log).log_loss.stderr


def test_true_hazards_pass_and_a_wrong_level_is_told(log: LogBatch) -> None:
    report = judge_leaving(LinearHazard(), log)
    assert report.curve.gap < 4.0 * report.curve.stderr.max()
    assert report.reliability.rmse < 2.0 * report.reliability.rmse_by_chance
    assert not any("survival curve" in each for each in report.statements)
    high = judge_leaving(LinearHazard(level=LEVEL + 1.0), log)
    assert high.curve.gap > 0.1
    assert high.auc == pytest.approx(report.auc, abs=0.02)  # the AUC is blind to the level
    assert any("survival curve is off" in each for each in high.statements)


def test_the_bag_auc_looks_at_the_best_item_and_says_so(log: LogBatch) -> None:
    report = judge_leaving(LinearHazard(), log)
    hazards = np.where(log.shown, LinearHazard().hazard_of(log.features), np.inf)
    last = np.append(log.session[1:] != log.session[:-1], True)
    assert log.quits is not None
    known = log.quits | ~last
    best = (1.0 - hazards).max(axis=1)
    assert report.bag_auc == pytest.approx(auc(best[known], ~log.quits[known]))
    assert report.auc > report.bag_auc + 0.05
    assert any("bag AUC is" in each and "Judge by the log-loss" in each for each in report.statements)


def test_each_slot_is_asked_for_its_own_step(log: LogBatch) -> None:
    model = LinearHazard(drift=0.2)
    truth = np.stack([model.hazard_of(log.features[:, slot], step=slot) for slot in range(5)], axis=1)
    error = judge_leaving(model, log, true_hazard=truth).hazard_error
    assert error is not None
    assert error.logit_rmse == 0.0
    assert error.rank_correlation == pytest.approx(1.0)


def test_the_error_of_hazards_is_on_the_log_odds_of_shown_items(log: LogBatch) -> None:
    truth = LinearHazard().hazard_of(log.features)
    shifted = judge_leaving(LinearHazard(level=LEVEL + 0.7), log, true_hazard=truth).hazard_error
    assert shifted is not None
    assert shifted.logit_rmse == pytest.approx(0.7)
    other = LinearHazard(np.array([0.2, -0.5]))
    found = judge_leaving(other, log, true_hazard=np.where(log.shown, truth, 0.5)).hazard_error
    ours, theirs = other.hazard_of(log.features)[log.shown], truth[log.shown]
    assert found is not None
    assert found.rank_correlation == pytest.approx(spearmanr(ours, theirs).statistic)
    constant = judge_leaving(LinearHazard(0.0 * PHI), log, true_hazard=truth).hazard_error
    assert constant is not None
    assert np.isnan(constant.rank_correlation)


def test_it_becomes_json(log: LogBatch) -> None:
    report = judge_leaving(LinearHazard(), log, true_hazard=LinearHazard().hazard_of(log.features))
    told = json.loads(json.dumps(report.to_dict()))
    assert told["log_loss"] == report.log_loss.value
    assert told["curve"]["gap"] == report.curve.gap
    assert told["reliability"]["ece"] == report.reliability.ece
    assert told["logit_rmse"] == 0.0
    assert told["statements"] == list(report.statements)


def test_a_log_that_cannot_judge_is_refused(log: LogBatch) -> None:
    last = np.append(log.session[1:] != log.session[:-1], True)
    first = np.append(True, last[:-1])
    one_page_left_or_lost = log.take(first & last)
    for batch, match in (
        (replace(log, quits=None), "add a column `quit`"),
        (replace(log, quits=np.zeros(log.n_rounds, dtype=np.bool_)), "after which people left, got none"),
        (one_page_left_or_lost, "sessions of several pages"),
    ):
        with pytest.raises(LogError, match=match):
            judge_leaving(LinearHazard(), batch)
        with pytest.raises(LogError, match=match):
            paired_page_log_loss(LinearHazard(), LinearHazard(), batch)


def test_a_model_that_ruled_out_what_happened_is_refused() -> None:
    batch, model = _pages(["gq", "gq"], [1.0, 0.5, 1.0, 1.0])
    with pytest.raises(InvalidInputError, match="1 of 4 pages ended as Survives had ruled out"):
        judge_leaving(model, batch)


def test_a_truth_of_another_shape_or_range_is_refused(log: LogBatch) -> None:
    with pytest.raises(InvalidInputError, match="true_hazard"):
        judge_leaving(LinearHazard(), log, true_hazard=np.zeros(3))
    with pytest.raises(InvalidInputError, match=r"true_hazard: expected values in \[0, 1\]"):
        judge_leaving(LinearHazard(), log, true_hazard=np.full(log.item.shape, np.nan))
