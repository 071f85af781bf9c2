"""Working memory for the inner loops."""

from __future__ import annotations

import math
import threading

import numpy as np

from sojourn.records import FloatArray

_of_thread = threading.local()


def scratch(shape: tuple[int, ...]) -> FloatArray:
    """Memory that the calling thread keeps, with whatever was left in it; the next call gives the same memory again.

    An array above some 100 KB is otherwise handed back to the system after use, and getting its pages anew costs more
    than the arithmetic on them.
    """
    size = math.prod(shape)
    buffer: FloatArray | None = getattr(_of_thread, "buffer", None)
    if buffer is None or buffer.size < size:
        buffer = _of_thread.buffer = np.empty(size)
    return buffer[:size].reshape(shape)
