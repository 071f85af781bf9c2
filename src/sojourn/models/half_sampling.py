"""Standard errors for models that have none: the spread of models fitted to halves of the sessions.

A half drawn without replacement differs from the whole as much as the whole does from another log (the delete-d
jackknife with d = n / 2, Shao and Wu 1989). A bootstrap would draw sessions twice, and a model that holds sessions out
to know when to stop would find copies of them among those it learned from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, Self, TypeVar

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.interfaces import ClickRateModel, QuitModel
from sojourn.models.session_samples import split_sessions
from sojourn.records import FloatArray, LogBatch

_Progress = Callable[[int, int], None]


class HalfSampledClickRate:
    """A click rate with its standard error, from any model without one.

    Parameters
    ----------
    model
        Makes an unfitted model. One is fitted to the whole log and gives the rates.
    n_halves
        Models fitted to halves, >= 2. With 20 a standard error is itself known to 16 %.
    seed
        Of the halves: the same seed and log give the same models.
    """

    def __init__(self, model: Callable[[], ClickRateModel], *, n_halves: int = 20, seed: int = 0) -> None:
        _check_number(n_halves)
        self._model, self.n_halves, self.seed = model, n_halves, seed
        self._fitted: _Fitted[ClickRateModel] | None = None

    @property
    def whole(self) -> ClickRateModel:
        """The model of the whole log."""
        return _after_fit(self._fitted, "HalfSampledClickRate").whole

    def fit(self, batch: LogBatch, *, progress: _Progress | None = None) -> Self:
        """Fit a model to the whole and one to each half; ``progress`` is told (models done, models in all)."""
        self._fitted = _fit_each(self._model, batch, n_halves=self.n_halves, seed=self.seed, progress=progress)
        return self

    def click_rate_of(self, features: FloatArray) -> FloatArray:
        """That of the model of the whole log."""
        return self.whole.click_rate_of(features)

    def click_rate_std_of(self, features: FloatArray) -> FloatArray:
        """Standard deviation between the models of the halves."""
        halves = _after_fit(self._fitted, "HalfSampledClickRate").halves
        return np.asarray(np.std([model.click_rate_of(features) for model in halves], axis=0, ddof=1))


class HalfSampledQuitModel:
    """A hazard with its standard error, from any quit model without one.

    Parameters
    ----------
    model
        Makes an unfitted model.
    n_halves, seed
        As in `HalfSampledClickRate`.
    """

    def __init__(self, model: Callable[[], QuitModel], *, n_halves: int = 20, seed: int = 0) -> None:
        _check_number(n_halves)
        self._model, self.n_halves, self.seed = model, n_halves, seed
        self._fitted: _Fitted[QuitModel] | None = None

    @property
    def whole(self) -> QuitModel:
        """The model of the whole log."""
        return _after_fit(self._fitted, "HalfSampledQuitModel").whole

    def fit(self, batch: LogBatch, *, progress: _Progress | None = None) -> Self:
        """Fit a model to the whole and one to each half; ``progress`` is told (models done, models in all)."""
        self._fitted = _fit_each(self._model, batch, n_halves=self.n_halves, seed=self.seed, progress=progress)
        return self

    def hazard_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        """That of the model of the whole log."""
        return self.whole.hazard_of(features, step=step)

    def hazard_std_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        """Standard deviation between the models of the halves."""
        halves = _after_fit(self._fitted, "HalfSampledQuitModel").halves
        return np.asarray(np.std([model.hazard_of(features, step=step) for model in halves], axis=0, ddof=1))

    def page_survival(self, batch: LogBatch) -> FloatArray:
        """That of the model of the whole log."""
        return self.whole.page_survival(batch)


class _Fits(Protocol):
    def fit(self, batch: LogBatch) -> Self: ...


_M = TypeVar("_M", bound=_Fits)


class _Fitted(NamedTuple, Generic[_M]):
    whole: _M
    halves: tuple[_M, ...]


def _fit_each(
    model: Callable[[], _M], batch: LogBatch, *, n_halves: int, seed: int, progress: _Progress | None
) -> _Fitted[_M]:
    rng = np.random.default_rng(seed)
    models = [model().fit(batch)]
    for done in range(1, n_halves + 1):
        if progress is not None:
            progress(done, n_halves + 1)
        half, _ = split_sessions(batch, 0.5, rng=rng)
        models.append(model().fit(half))
    if progress is not None:
        progress(n_halves + 1, n_halves + 1)
    return _Fitted(models[0], tuple(models[1:]))


def _after_fit(fitted: _Fitted[_M] | None, name: str) -> _Fitted[_M]:
    if fitted is None:
        raise InvalidInputError(f"{name}: expected a fitted model; call fit first")
    return fitted


def _check_number(n_halves: int) -> None:
    if n_halves < 2:
        raise InvalidInputError(f"n_halves: expected at least 2, for a spread between them, got {n_halves}")
