from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sojourn.errors import InvalidInputError
from sojourn.interfaces import HazardDoubt, QuitModel
from sojourn.models import HalfSampledQuitModel
from sojourn.models.session_samples import split_sessions
from sojourn.records import FloatArray, LogBatch


def _log(session: list[int]) -> LogBatch:
    """Pages of one item, each with its row number as the item."""
    n = len(session)
    zeros = np.zeros((n, 1))
    return LogBatch(
        item=np.arange(n)[:, None],
        features=np.zeros((n, 1, 1)),
        click=zeros,
        reward=zeros,
        position=np.zeros((n, 1), dtype=np.int64),
        session=np.array(session),
        step=np.arange(n),
        quits=np.arange(n) % 3 == 0,
    )


SESSIONS = [7, 7, -3, 7, 900, -3, 12]  # rows of a session need not be neighbours


def test_a_split_parts_sessions(rng: np.random.Generator) -> None:
    log = _log(list(range(40)) * 3)
    most, held_out = split_sessions(log, 0.25, rng=rng)
    ours, theirs = set(most.session.tolist()), set(held_out.session.tolist())
    assert (len(ours), len(theirs)) == (30, 10)
    assert not ours & theirs
    for part in (most, held_out):
        assert np.all(np.diff(part.item[:, 0]) > 0)  # in the order of the log
    assert most.n_rounds + held_out.n_rounds == 120


@pytest.mark.parametrize("share", [1e-6, 1.0 - 1e-6])
def test_each_part_has_a_session(share: float, rng: np.random.Generator) -> None:
    most, held_out = split_sessions(_log(SESSIONS), share, rng=rng)
    assert most.n_rounds > 0
    assert held_out.n_rounds > 0


def test_what_cannot_be_parted_is_refused(rng: np.random.Generator) -> None:
    with pytest.raises(InvalidInputError, match="at least 2 sessions"):
        split_sessions(_log([5, 5]), 0.5, rng=rng)
    for share in (0.0, 1.0, np.nan):
        with pytest.raises(InvalidInputError, match="share"):
            split_sessions(_log([5, 6]), share, rng=rng)


class _Constant:
    """The share of pages that were left, for every item."""

    def fit(self, batch: LogBatch) -> _Constant:
        assert batch.quits is not None
        self.rate = float(batch.quits.mean())
        return self

    def hazard_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        return np.full(features.shape[:-1], self.rate / (1.0 + step))

    def page_survival(self, batch: LogBatch) -> FloatArray:
        return np.full(batch.n_rounds, 1.0 - self.rate)


def test_halves_give_any_quit_model_its_standard_error() -> None:
    log = _log(list(range(300)))
    model = HalfSampledQuitModel(_Constant, n_halves=200, seed=1).fit(log)
    assert isinstance(model, QuitModel)
    assert isinstance(model, HazardDoubt)
    at = np.zeros((2, 5, 1))
    known = np.sqrt(1.0 / 3.0 * 2.0 / 3.0 / 299.0)  # of a half without replacement, as of the whole
    assert_allclose(model.hazard_of(at), np.full((2, 5), 1.0 / 3.0))
    assert model.hazard_std_of(at).shape == (2, 5)
    assert model.hazard_std_of(at)[0, 0] == pytest.approx(known, rel=4.0 / np.sqrt(400))
    assert_allclose(model.hazard_of(at, step=1), model.hazard_of(at) / 2.0)
    assert_allclose(model.hazard_std_of(at, step=1), model.hazard_std_of(at) / 2.0)
    assert_allclose(model.page_survival(log), 2.0 / 3.0)


def test_progress_counts_the_whole_and_its_halves() -> None:
    told: list[tuple[int, int]] = []
    HalfSampledQuitModel(_Constant, n_halves=3).fit(_log([1, 2, 3, 4]), progress=lambda *done: told.append(done))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_an_unfitted_one_says_so() -> None:
    with pytest.raises(InvalidInputError, match="HalfSampledQuitModel: expected a fitted model"):
        HalfSampledQuitModel(_Constant).hazard_of(np.zeros((1, 1)))
