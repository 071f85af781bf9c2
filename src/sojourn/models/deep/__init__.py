"""Deep click models that learn from a stream, and what they do not know; all need the extra ``torch``.

A `DeepClickRate` is made of parts that go together in any combination: a layout (`sojourn.records.FieldLayout`) that
says what the columns of the features are; a network (``deep.networks``: `MLP`, `DeepFM`, `DCNv2`, or your own); an
uncertainty (``deep.uncertainty``), which says how far the network may be off; and a gate, for exploration that asks for
one. Any explorer of `sojourn.exploration` and any policy takes it, and log-odds are what they see:

>>> import numpy as np
>>> from sojourn.models.deep import DeepClickRate, StreamTraining
>>> from sojourn.records import Categorical, FieldLayout, Numeric, Rows
>>> layout = FieldLayout(fields=(Categorical("item", 4, "item"), Numeric("age")), item_id="item")
>>> model = DeepClickRate(layout=layout, training=StreamTraining(block=256))
>>> rng = np.random.default_rng(0)
>>> features = np.column_stack([rng.integers(1, 4, size=2048), rng.normal(size=2048)])
>>> click = (features[:, 0] == 3.0).astype(float)  # all love item 3
>>> model.update(Rows(features=features, reward=click, weight=np.ones(2048), slot=np.zeros(2048, dtype=int)))
>>> model.click_rate_of(np.array([[1.0, 0.5], [3.0, 0.5]])).round(1).tolist()
[0.0, 1.0]
"""

from __future__ import annotations

from sojourn.errors import MissingExtraError

try:
    import torch  # noqa: F401
except ImportError as error:
    raise MissingExtraError("torch", "torch") from error

from sojourn.models.deep.fitting import FitPlan, FitReport
from sojourn.models.deep.gate import GatingUnit
from sojourn.models.deep.model import DeepClickRate
from sojourn.models.deep.training import StreamTraining
from sojourn.models.deep.unknown import count_unknown

__all__ = ["DeepClickRate", "FitPlan", "FitReport", "GatingUnit", "StreamTraining", "count_unknown"]
