"""Who predicts clicks on KuaiRand: logistic regression, Sojourn's networks, and DeepCTR-Torch in its own environment.

All learn from the same rows of codes and marks, one row an exposure.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from benchmarks.measure import ROOT, Pythons

from sojourn.models.click_rate import ClassifierClickRate
from sojourn.models.deep import DeepClickRate, FitPlan
from sojourn.models.deep.networks import MLP, DCNv2, DeepFM, MakeNetwork
from sojourn.records import Categorical, FieldLayout, FloatArray, IntArray, LogBatch, MultiHot

HIDDEN: Final = (64, 32)
BATCH_SIZE: Final = 512
_HELD_OUT: Final = 0.01  # a fit holds some out to choose an epoch; where one epoch was best there is no choice


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Day:
    """Exposures of one day or more.

    Parameters
    ----------
    layout
        What the columns of the features stand for.
    batch
        One slot a round.
    """

    layout: FieldLayout
    batch: LogBatch

    @property
    def features(self) -> FloatArray:
        """Of each exposure, (n, d)."""
        return self.batch.features[:, 0]

    @property
    def click(self) -> FloatArray:
        """Of each exposure, (n,)."""
        return self.batch.click[:, 0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What is tuned.

    Parameters
    ----------
    learning_rate
        Of Adam; nothing for logistic regression.
    size
        Length of an embedding; nothing for logistic regression.
    dropout
        Of the weights behind the embedding (Sojourn), or of hidden units (DeepCTR-Torch).
    penalty
        Decoupled weight decay (Sojourn), L2 of embeddings and linear weights (DeepCTR-Torch), or 1 / C.
    epochs
    """

    learning_rate: float = 1e-3
    size: int = 8
    dropout: float = 0.0
    penalty: float = 1.0
    epochs: int = 1


Curve = Callable[[Day, Day, Settings, int], list[float]]
ClickRate = Callable[[Day, Day, Settings, int], FloatArray]


@dataclass(frozen=True, kw_only=True, slots=True)
class Contender:
    """A model and its settings.

    Parameters
    ----------
    name
    click_rate
        From what is learned, what is judged, settings and seed to click rates (n,) of what is judged.
    curve
        From the same to the log-loss after each epoch.
    settings
        Those with the smallest log-loss on 28 April.
    penalties
        Which are tried in tuning: weak, middle, strong.
    """

    name: str
    click_rate: ClickRate
    curve: Curve
    settings: Settings
    penalties: tuple[float, ...]


def logistic_rate(learned: Day, judged: Day, settings: Settings, seed: int) -> FloatArray:
    """Logistic regression on one mark per level of the same fields."""
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    codes = code_columns(learned.layout)
    marks = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), codes), remainder="passthrough")
    pipeline = make_pipeline(marks, LogisticRegression(C=1.0 / settings.penalty, max_iter=1_000))
    return ClassifierClickRate(pipeline).fit(learned.batch).click_rate_of(judged.features)


def logistic_curve(learned: Day, judged: Day, settings: Settings, seed: int) -> list[float]:
    """Its log-loss, as if after one epoch."""
    from sojourn.evaluation import log_loss

    return [log_loss(logistic_rate(learned, judged, settings, seed), judged.click)]


def network_rate(make: MakeNetwork, learned: Day, judged: Day, settings: Settings, seed: int) -> FloatArray:
    """A network of Sojourn's."""
    model = _model(make, learned.layout, settings, seed, held_out=_HELD_OUT)
    return model.fit(learned.batch).click_rate_of(judged.features)


def network_curve(make: MakeNetwork, learned: Day, judged: Day, settings: Settings, seed: int) -> list[float]:
    """Its log-loss after each epoch, since a fit judges itself on the last rounds."""
    both = _after(learned.batch, judged.batch)
    model = _model(make, learned.layout, settings, seed, held_out=judged.batch.n_rounds / both.n_rounds).fit(both)
    assert model.fit_report is not None
    return list(model.fit_report.log_loss)


def _model(make: Any, layout: FieldLayout, settings: Settings, seed: int, *, held_out: float) -> DeepClickRate:
    fitting = FitPlan(
        epochs=settings.epochs,
        patience=settings.epochs,
        batch_size=BATCH_SIZE,
        learning_rate=settings.learning_rate,
        dropout=settings.dropout,
        weight_decay=settings.penalty,
        validation_share=held_out,
    )
    network = partial(make, embedding_size=settings.size, hidden=HIDDEN)
    return DeepClickRate(layout=layout, network=network, fitting=fitting, seed=seed)


def _after(first: LogBatch, second: LogBatch) -> LogBatch:
    def both(name: str) -> Any:
        return np.concatenate([getattr(first, name), getattr(second, name)])

    names = ("item", "features", "click", "reward", "position", "session", "step")
    return LogBatch(**{name: both(name) for name in names})


def peer_rate(learned: Day, judged: Day, settings: Settings, seed: int) -> FloatArray:
    """DeepFM of DeepCTR-Torch."""
    last: FloatArray = _peer(learned, judged, settings, seed)[-1]
    return last


def peer_curve(learned: Day, judged: Day, settings: Settings, seed: int) -> list[float]:
    """Its log-loss after each epoch."""
    from sojourn.evaluation import log_loss

    return [log_loss(rate, judged.click) for rate in _peer(learned, judged, settings, seed)]


def _peer(learned: Day, judged: Day, settings: Settings, seed: int) -> FloatArray:
    """Click rates (epochs, n) of what is judged."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "days.npz", Path(folder) / "rates.npy"
        longest = max(int(_marks(day).sum(axis=1).max()) for day in (learned, judged))
        fields = [field for field in learned.layout.fields if isinstance(field, Categorical)]
        np.savez(
            source,
            n_levels=[field.n_levels for field in fields],
            n_marks=_marks(learned).shape[1],
            learned=learned.features[:, code_columns(learned.layout)],
            learned_marks=listed_marks(_marks(learned), longest),
            judged=judged.features[:, code_columns(learned.layout)],
            judged_marks=listed_marks(_marks(judged), longest),
            click=learned.click,
        )
        how = {**asdict(settings), "seed": seed, "hidden": HIDDEN, "batch_size": BATCH_SIZE}
        worker = ["-W", "ignore", "-m", "experiments.age.deepctr_worker", json.dumps(how), str(source), str(target)]
        one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run([str(Pythons.peers), *worker], cwd=ROOT, env=one_thread, stdout=subprocess.DEVNULL, check=True)
        rates: FloatArray = np.load(target)
        return rates


def code_columns(layout: FieldLayout) -> list[int]:
    """The columns that hold codes."""
    return [layout.columns(field.name).start for field in layout.fields if isinstance(field, Categorical)]


def _marks(day: Day) -> FloatArray:
    """The marks of the one field that has marks, (n, levels)."""
    (field,) = (field for field in day.layout.fields if isinstance(field, MultiHot))
    return day.features[:, day.layout.columns(field.name)]


def listed_marks(marks: FloatArray, longest: int) -> IntArray:
    """The levels that are marked, counted from 1, and 0 where a list is shorter than the longest, (n, longest)."""
    order = np.argsort(marks == 0.0, axis=1, kind="stable")[:, :longest]
    listed: IntArray = np.where(np.take_along_axis(marks, order, axis=1) > 0.0, order + 1, 0)
    return listed


_NETWORKS: Final[dict[str, tuple[Any, Settings]]] = {
    "MLP": (MLP, Settings(learning_rate=2e-3, size=8, dropout=0.0, penalty=0.1)),
    "DeepFM": (DeepFM, Settings(learning_rate=2e-3, size=8, dropout=0.0, penalty=0.1)),
    "DCN-v2": (DCNv2, Settings(learning_rate=2e-3, size=16, dropout=0.5, penalty=0.1)),
}
CONTENDERS: Final = (
    Contender(
        name="logistic regression",
        click_rate=logistic_rate,
        curve=logistic_curve,
        settings=Settings(penalty=16.9),
        penalties=(),
    ),
    *(
        Contender(
            name=name,
            click_rate=partial(network_rate, make),
            curve=partial(network_curve, make),
            settings=settings,
            penalties=(0.1, 1.0, 10.0),
        )
        for name, (make, settings) in _NETWORKS.items()
    ),
    Contender(
        name="DeepFM of DeepCTR-Torch",
        click_rate=peer_rate,
        curve=peer_curve,
        settings=Settings(learning_rate=2e-3, size=16, dropout=0.5, penalty=1e-3),
        penalties=(1e-5, 1e-3, 1e-2),
    ),
)


def present() -> tuple[Contender, ...]:
    """Those that can run here: without the peers' environment, all but the last."""
    return CONTENDERS if Pythons.peers.exists() else CONTENDERS[:-1]
