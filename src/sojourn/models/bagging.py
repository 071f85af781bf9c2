"""Standard errors for models that have none: the spread of models fitted to resamples of whole sessions.

The bootstrap (Efron 1979) by session; the models are averaged as well (bagging, Breiman 1996).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, Self, TypeVar

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.interfaces import ClickRateModel, QuitModel
from sojourn.models.session_samples import resample_sessions
from sojourn.records import FloatArray, LogBatch

_Progress = Callable[[int, int], None]


class BaggedClickRate:
    """A click rate with its standard error, from any model without one.

    Parameters
    ----------
    model
        Makes an unfitted model.
    n_models
        Resamples, >= 2. With 20 a standard error is itself known to 16 %.
    seed
        Of the resamples: the same seed and log give the same models.
    """

    def __init__(self, model: Callable[[], ClickRateModel], *, n_models: int = 20, seed: int = 0) -> None:
        _check_number(n_models)
        self._model, self.n_models, self.seed = model, n_models, seed
        self._models: tuple[ClickRateModel, ...] = ()

    @property
    def models(self) -> tuple[ClickRateModel, ...]:
        """The fitted models."""
        return _fitted(self._models, "BaggedClickRate")

    def fit(self, batch: LogBatch, *, progress: _Progress | None = None) -> Self:
        """Fit one model to each resample; ``progress`` is told (models done, models in all)."""
        self._models = _fit_each(self._model, batch, n_models=self.n_models, seed=self.seed, progress=progress)
        return self

    def click_rate_of(self, features: FloatArray) -> FloatArray:
        """Mean over the models."""
        return np.asarray(self._rates(features).mean(axis=0))

    def click_rate_std_of(self, features: FloatArray) -> FloatArray:
        """Standard deviation between the models: the standard error of a model fitted once."""
        return np.asarray(self._rates(features).std(axis=0, ddof=1))

    def _rates(self, features: FloatArray) -> FloatArray:
        return np.stack([model.click_rate_of(features) for model in self.models])


class BaggedQuitModel:
    """A hazard with its standard error, from any quit model without one.

    Parameters
    ----------
    model
        Makes an unfitted model.
    n_models, seed
        As in `BaggedClickRate`.
    """

    def __init__(self, model: Callable[[], QuitModel], *, n_models: int = 20, seed: int = 0) -> None:
        _check_number(n_models)
        self._model, self.n_models, self.seed = model, n_models, seed
        self._models: tuple[QuitModel, ...] = ()

    @property
    def models(self) -> tuple[QuitModel, ...]:
        """The fitted models."""
        return _fitted(self._models, "BaggedQuitModel")

    def fit(self, batch: LogBatch, *, progress: _Progress | None = None) -> Self:
        """Fit one model to each resample; ``progress`` is told (models done, models in all)."""
        self._models = _fit_each(self._model, batch, n_models=self.n_models, seed=self.seed, progress=progress)
        return self

    def hazard_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        """Mean over the models."""
        return np.asarray(self._hazards(features, step).mean(axis=0))

    def hazard_std_of(self, features: FloatArray, *, step: int = 0) -> FloatArray:
        """Standard deviation between the models: the standard error of a model fitted once."""
        return np.asarray(self._hazards(features, step).std(axis=0, ddof=1))

    def page_survival(self, batch: LogBatch) -> FloatArray:
        """Mean over the models; where they differ, this is not quite what the mean hazards multiply to."""
        return np.asarray(np.mean([model.page_survival(batch) for model in self.models], axis=0))

    def _hazards(self, features: FloatArray, step: int) -> FloatArray:
        return np.stack([model.hazard_of(features, step=step) for model in self.models])


class _Fits(Protocol):
    def fit(self, batch: LogBatch) -> Self: ...


_M = TypeVar("_M", bound=_Fits)


def _fit_each(
    model: Callable[[], _M], batch: LogBatch, *, n_models: int, seed: int, progress: _Progress | None
) -> tuple[_M, ...]:
    rng = np.random.default_rng(seed)
    models: list[_M] = []
    for _ in range(n_models):
        models.append(model().fit(resample_sessions(batch, rng=rng)))
        if progress is not None:
            progress(len(models), n_models)
    return tuple(models)


def _fitted(models: tuple[_M, ...], name: str) -> tuple[_M, ...]:
    if not models:
        raise InvalidInputError(f"{name}: expected a fitted model; call fit first")
    return models


def _check_number(n_models: int) -> None:
    if n_models < 2:
        raise InvalidInputError(f"n_models: expected at least 2, for a spread between them, got {n_models}")
