"""Fits one of PyClick's models: ``python -m experiments.click_models.pyclick_worker MODEL ITERATIONS IN OUT``.

It runs in the peers' environment, so it imports nothing of Sojourn. IN and OUT are NumPy archives. IN holds ``query``
(n,), ``item`` (n, k), ``click`` (n, k) and ``train`` (n,) bool. OUT gets ``seconds`` of processor time for the fit,
``n_parameters``, and for the pages that are not for training ``log_likelihood`` (m,) and ``click_probability`` (m, k).
Each iteration is told by a line on stdout.
"""

# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import importlib
import math
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from pyclick.click_models.Inference import EMInference
from pyclick.search_session.SearchResult import SearchResult
from pyclick.search_session.SearchSession import SearchSession

COUNTED = {"DCM", "SDBN"}
"""Models that PyClick estimates by counting, in one pass; the others by EM."""


class Told(list[Any]):
    """Sessions that say so each time that EM begins to go through them."""

    def __iter__(self) -> Iterator[Any]:
        print("iteration", flush=True)
        return super().__iter__()


def sessions(query: Any, item: Any, click: Any) -> list[Any]:
    """The pages as PyClick has them."""
    made = []
    for name, items, clicks in zip(query.tolist(), item.tolist(), click.astype(int).tolist(), strict=True):
        session = SearchSession(name)
        session.web_results = [SearchResult(*result) for result in zip(items, clicks, strict=True)]
        made.append(session)
    return made


def n_parameters(model: Any) -> int:
    """Parameters that some page has touched; the others keep their first value, 1 of 2."""
    every = (parameter for container in model.params.values() for parameter in container)
    return sum(parameter._denominator > 2 for parameter in every)  # noqa: SLF001  # the only way to know


def main() -> None:
    """Fit, judge and save."""
    name, iterations, source, target = sys.argv[1:]
    pages = np.load(source)
    query, item, click, train = (pages[key] for key in ("query", "item", "click", "train"))
    model = getattr(importlib.import_module(f"pyclick.click_models.{name}"), name)()
    known = Told(sessions(query[train], item[train], click[train]))
    start = time.process_time()
    if name in COUNTED:
        model.train(known)
    else:
        EMInference(int(iterations)).infer_params(model, known)
    seconds = time.process_time() - start
    size = n_parameters(model)
    held_out = sessions(query[~train], item[~train], click[~train])
    np.savez(
        target,
        seconds=seconds,
        n_parameters=size,
        log_likelihood=[sum(map(math.log, model.get_conditional_click_probs(page))) for page in held_out],
        click_probability=[model.get_full_click_probs(page) for page in held_out],
    )


if __name__ == "__main__":
    main()
