"""How often a model is asked about what its encoder does not know."""

from __future__ import annotations

import numpy as np

from sojourn.records import UNKNOWN, Categorical, FieldLayout, FloatArray


def count_unknown(layout: FieldLayout, features: FloatArray) -> dict[str, int]:
    """Rows of features (..., d) with the unknown code, for each categorical field.

    Reading a model counts nothing, since it changes nothing; whoever serves counts, with this.
    """
    layout.check(features)
    codes = [field.name for field in layout.fields if isinstance(field, Categorical)]
    return {name: int(np.count_nonzero(features[..., layout.columns(name)] == UNKNOWN)) for name in codes}
