"""Words as columns: hashed, so that words never met before have a place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"[\w']+")


def hashed_words(texts: Sequence[str], *, n_columns: int) -> NDArray[np.float32]:
    """Which words a text holds, (t, n_columns) of 0 and 1: case is ignored, and words may share a column.

    A word has the same column in every process and on every machine.
    """
    marks = np.zeros((len(texts), n_columns), dtype=np.float32)
    for row, text in enumerate(texts):
        marks[row, [_column(word, n_columns) for word in _WORD.findall(text.lower())]] = 1.0
    return marks


@lru_cache(maxsize=100_000)
def _column(word: str, n_columns: int) -> int:
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little") % n_columns
