"""When real people leave a shop: quit models on the views of April to June, judged on July and August.

A page is one view, and `quit` is the last one of a session. What a model knows of a view is the item, and what the
session has shown before it. Settings were chosen within April to June: learned from April, judged on May; learned from
April and May, judged on June.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import polars as pl

from experiments.data import required_folder
from experiments.session_planning.units import FULL, Sizes
from experiments.studies import Measures
from sojourn.evaluation import judge_leaving
from sojourn.interfaces import QuitModel
from sojourn.logs import FeatureEncoder, Log, SessionEncoder, SessionFeatures
from sojourn.logs.datasets import eshop
from sojourn.logs.encode import Encoder
from sojourn.models.boosting import Boosting
from sojourn.models.quit import BoostedNoisyOr, ClassifierHazard, ConstantHazard, NoisyOr, StepHazard
from sojourn.records import LogBatch

HISTORY: Final = SessionFeatures(
    categories=("x_category", "x_page", "x_colour", "x_photography", "x_location", "x_above_average_price"),
    numbers=("x_price", "page_number", "location_number"),
    clicks=False,  # every view is one
    window=3,
)
N_AVERAGED: Final = 8
N_BINS: Final = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Contender:
    """A quit model and what it is told.

    Parameters
    ----------
    name
        In the table.
    model
        Makes it, unfitted, from a seed.
    history
        Whether it learns from the session, too.
    seeded
        Whether the seed changes anything.
    """

    name: str
    model: Callable[[int], QuitModel]
    history: bool = True
    seeded: bool = False


CONTENDERS: Final = (
    Contender(name="constant", model=lambda _: ConstantHazard(), history=False),
    Contender(name="step only", model=lambda _: StepHazard(), history=False),
    Contender(name="logistic, item attributes only", model=lambda _: NoisyOr(), history=False),
    Contender(name="logistic + history", model=lambda _: NoisyOr()),
    Contender(
        name="noisy-or boosting + history", model=lambda seed: BoostedNoisyOr(boosting=Boosting(seed=seed)), seeded=True
    ),
    Contender(name="tuned trees + history", model=lambda seed: ClassifierHazard(tuned_trees(seed)), seeded=True),
    Contender(
        name="tuned trees + history, 8 averaged", model=lambda seed: ClassifierHazard(averaged_trees(seed)), seeded=True
    ),
)


SETTINGS: Final = tuple(each.name for each in CONTENDERS if not each.seeded)
SEEDED: Final = tuple(each.name for each in CONTENDERS if each.seeded)


def tuned_trees(seed: int = 0) -> Any:
    """Trees of larger leaves than the findings', which look at half of the features each."""
    import lightgbm

    return lightgbm.LGBMClassifier(
        n_estimators=150,
        learning_rate=0.05,
        num_leaves=31,
        min_child_samples=300,
        reg_lambda=20.0,
        colsample_bytree=0.5,
        random_state=seed,
        n_jobs=1,
        deterministic=True,
        force_row_wise=True,
        verbose=-1,
    )


def averaged_trees(seed: int = 0) -> Any:
    """The mean of as many as `N_AVERAGED`, from seeds of their own."""
    from sklearn.ensemble import VotingClassifier

    seeds = range(N_AVERAGED * seed, N_AVERAGED * (seed + 1))
    return VotingClassifier([(str(each), tuned_trees(each)) for each in seeds], voting="soft")


def load(folder: Path) -> Log:
    """The views, with the place of an item in the shop as a number too: people go on from one page to the next."""
    log = eshop.load(folder)
    assert log.items is not None  # the shop has a table of them
    place = [pl.col(f"x_{name}").cast(pl.Int64).alias(f"{name}_number") for name in ("page", "location")]
    return replace(log, items=log.items.with_columns(place))


def months(log: Log, first: int, last: int) -> Log:
    """The sessions that began from the first to the last of these months; 4 is April. Their views share a day."""
    month = pl.col("timestamp").dt.month().first().over("session_id")
    return replace(log, slots=log.slots.filter(month.is_between(first, last)), problems=())


def play(setting: str, seed: int, sizes: Sizes) -> Measures:
    """Log-loss, AUC and calibration error of one contender on July and August; of a few sessions if sizes are small."""
    contender = next(each for each in CONTENDERS if each.name == setting)
    learned, judged = _parts(sizes == FULL)
    train, test = batches(learned, judged, history=contender.history)
    return {"scores": {**scores(contender.model(seed).fit(train), test)}}


@cache
def _parts(everything: bool) -> tuple[Log, Log]:
    """April to June, and July and August: all sessions, or one of eight."""
    log = load(required_folder("eshop"))
    if not everything:
        log = replace(log, slots=log.slots.filter(pl.col("session_id").cast(pl.Int64) % 8 == 0))
    return months(log, 4, 6), months(log, 7, 8)


def batches(learned: Log, judged: Log, *, history: bool) -> tuple[LogBatch, LogBatch]:
    """Both as arrays, with the features that the first part taught."""
    base = FeatureEncoder.fit(learned, max_levels=60)  # of 47 countries
    encoder: Encoder = SessionEncoder.fit(learned, session=HISTORY, encoder=base) if history else base
    return learned.to_batch(encoder).batch, judged.to_batch(encoder).batch


def scores(model: QuitModel, judged: LogBatch) -> dict[str, float]:
    """What a fitted model is worth on views of other sessions."""
    report = judge_leaving(model, judged, n_bins=N_BINS)
    return {
        "log_loss": report.log_loss.value,
        "log_loss_stderr": report.log_loss.stderr,
        "auc": report.auc,
        "ece": report.reliability.ece,
        "n": float(report.n_pages),
    }
