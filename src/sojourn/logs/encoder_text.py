"""The text that an encoder is stored as: its columns, and its items with their part of the rows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojourn.records import FloatArray


def encoder_to_json(columns: Iterable[dict[str, Any]], item_ids: NDArray[Any], item_features: FloatArray) -> str:
    """As text: each column as a dict, ids (n_items,), features (n_items, d_item)."""
    return json.dumps(
        {"columns": list(columns), "item_ids": item_ids.tolist(), "item_features": item_features.tolist()}
    )


def encoder_from_json(text: str) -> tuple[list[dict[str, Any]], NDArray[Any], FloatArray]:
    """Columns, ids and features, as `encoder_to_json` was given them."""
    known = json.loads(text)
    item_ids = pl.Series(known["item_ids"]).to_numpy()
    features = np.array(known["item_features"], dtype=np.float64).reshape(len(item_ids), -1)
    return known["columns"], item_ids, features
