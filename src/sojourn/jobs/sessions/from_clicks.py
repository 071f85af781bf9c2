"""Learning from clicks alone who leaves: whoever clicks further down had not left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from sojourn.errors import LogError
from sojourn.evaluation import Reliability, reliability, session_mean
from sojourn.exposure import SurvivalModel
from sojourn.jobs.sessions.click_learning import SAME, ClickLearning
from sojourn.jobs.sessions.models import SessionModels
from sojourn.jobs.sessions.parts import SessionParts
from sojourn.logs import Log
from sojourn.records import FloatArray, LogBatch

_PASSES = 300


@dataclass(frozen=True, slots=True, eq=False)
class Attraction:
    """The click rate of a survival model: that of an item which is seen. Fitted with the model."""

    model: SurvivalModel

    def fit(self, batch: LogBatch) -> Attraction:
        """Fit the survival model."""
        self.model.fit(batch)
        return self

    def click_rate_of(self, features: FloatArray) -> FloatArray:
        """P(click | seen), (...,) of features (..., d)."""
        rows = features.reshape(-1, features.shape[-1])
        return np.asarray(self.model.attraction_of(rows).reshape(features.shape[:-1]))


def survival_models() -> dict[str, SurvivalModel]:
    """On what leaving may depend, the simplest first; the position is among the features of a session."""

    def model(**options: Any) -> SurvivalModel:
        return SurvivalModel(attraction="features", max_passes=_PASSES, **options)

    return {
        SAME: model(hazard=()),
        "by item": model(hazard=("x",)),
        "by item, people differ": model(hazard=("x",), page_effect=True),
        "by item and click, people differ": model(hazard=("x", "click", "click*x"), page_effect=True),
    }


def learn_from_clicks(log: Log, *, progress: Callable[[int, int], None] | None = None) -> ClickLearning:
    """Learn attraction and leaving from the clicks of a log's first sessions, whether or not it says where they end.

    Raises
    ------
    LogError
        If the log has no whole pages of several items, or its clicks tell nothing.
    """
    expect_pages_with_clicks(log)
    parts, models = SessionParts.of(log), survival_models()
    tell = progress or (lambda _done, _total: None)
    for done, model in enumerate(models.values()):
        tell(done + 1, len(models) + 1)
        model.fit(parts.learned)
    chosen = max(models, key=lambda name: float(models[name].log_likelihood(parts.chosen).mean()))
    tell(len(models) + 1, len(models) + 1)
    pages, session = {name: each.log_likelihood(parts.judged) for name, each in models.items()}, parts.judged.session
    model = models[chosen]
    return ClickLearning(
        models=SessionModels(encoder=parts.encoder, clicks=Attraction(model), leaving=model, page_size=parts.page_size),
        chosen=chosen,
        fit=model.report,
        log_likelihood={name: session_mean(each, session) for name, each in pages.items()},
        above_same={name: session_mean(each - pages[SAME], session) for name, each in pages.items()},
        clicks=_clicks(model, parts.judged),
        n_sessions=parts.n_sessions,
        left_out=parts.notes,
    )


def expect_pages_with_clicks(log: Log) -> None:
    """Refuse a log whose clicks cannot tell who left."""
    clicks = log.slots.select(
        pl.col("click").cast(pl.Float64).mean(), positions=pl.col("position").n_unique()
    ).collect()
    rate, n_positions = clicks.row(0)
    if not log.whole_pages or n_positions < 2:
        raise LogError(
            f"{log.source}: expected whole pages of several items to tell from clicks who left, got "
            f"{'slots logged one by one' if not log.whole_pages else 'one position'}; add a column `quit` instead, "
            "true on the last row of a session after which the person left"
        )
    if not 0.0 < rate < 1.0:
        raise LogError(
            f"{log.source}: expected clicks and items without a click, got {'no click' if rate == 0.0 else 'clicks'} "
            "alone, which do not tell who left; log all items of a page, or add a column `quit`"
        )


def _clicks(model: SurvivalModel, judged: LogBatch) -> Reliability:
    shown = judged.shown
    session = np.broadcast_to(judged.session[:, None], shown.shape)[shown]
    return reliability(model.click_probability(judged)[shown], judged.click[shown], session=session)
