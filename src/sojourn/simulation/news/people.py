"""People as R6B describes them: 136 bits, of which about 25 are on."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sojourn.records import FloatArray

N_BITS: Final = 136
_GROUPS: Final = (2, 10, 20)  # one-hot, as sex, age and place would be; bit 0 is always on
_N_BEHAVIOURS: Final = N_BITS - 1 - sum(_GROUPS)
_N_CLUSTERS: Final = 8
_BITS_ON: Final = 25.0
_UNEVEN: Final = 0.5, 2.0  # Beta law of a behaviour's frequency in a cluster, before it is scaled
N_TASTES: Final = 4


def draw_users(n_users: int, *, rng: np.random.Generator) -> NDArray[np.float32]:
    """Bits of people, (n, 136) of 0 and 1.

    Bit 0 is on; three groups of 2, 10 and 20 hold one bit each; the other 103 go by the person's cluster, one of eight.
    """
    users = np.zeros((n_users, N_BITS), dtype=np.float32)
    users[:, 0] = 1.0
    start = 1
    for size in _GROUPS:
        users[np.arange(n_users), start + rng.integers(size, size=n_users)] = 1.0
        start += size
    frequency = rng.beta(*_UNEVEN, size=(_N_CLUSTERS, _N_BEHAVIOURS))
    frequency *= (_BITS_ON - 1.0 - len(_GROUPS)) / frequency.sum(axis=1, keepdims=True)
    cluster = rng.integers(_N_CLUSTERS, size=n_users)
    users[:, start:] = rng.random((n_users, _N_BEHAVIOURS)) < frequency[cluster]
    return users


def draw_tastes(users: NDArray[np.float32], *, rng: np.random.Generator) -> FloatArray:
    """A random projection of the bits, (n, 4), each column standardised over the people."""
    projected = users.astype(np.float64) @ rng.standard_normal((N_BITS, N_TASTES))
    projected -= projected.mean(axis=0)
    spread = projected.std(axis=0)
    tastes: FloatArray = projected / np.where(spread > 0.0, spread, 1.0)
    return tastes
