"""Units of work on several processes, each with one thread for its arithmetic."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TypeVar

Unit = TypeVar("Unit")
Result = TypeVar("Result")

_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@contextmanager
def processes(n: int) -> Iterator[Executor]:
    """A pool of n fresh processes."""
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))  # they read it before they load NumPy
    with ProcessPoolExecutor(max_workers=n, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def done_as_they_end(
    pool: Executor, play: Callable[[Unit], Result], units: Sequence[Unit]
) -> Iterator[tuple[Unit, Result]]:
    """Units with their results, in the order in which they end; they begin in the order given."""
    futures = {pool.submit(play, unit): unit for unit in units}
    try:
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
