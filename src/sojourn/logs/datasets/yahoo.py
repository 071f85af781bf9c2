"""The visits of R6A or R6B as logs, a block at a time, so that a day of millions fits in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from sojourn.errors import InvalidInputError, LogError
from sojourn.logs.datasets.yahoo_lines import CARD, Visit, parse_visit, stream
from sojourn.logs.log import Log
from sojourn.logs.problems import N_EXAMPLES, Problem
from sojourn.records import FloatArray

__all__ = ["CARD", "Visit", "blocks", "parse_visit", "stream"]

MALFORMED = "line is not a visit of R6A or R6B"
CHANGED = "features of an article differ from those before in the block"

_SLOTS = pl.Schema(
    {
        "request_id": pl.String(),
        "timestamp": pl.Int64(),
        "position": pl.Int64(),
        "item_id": pl.String(),
        "propensity": pl.Float64(),
        "click": pl.Int64(),
    }
)


def blocks(paths: Path | str | Iterable[Path | str], *, size: int = 10_000) -> Iterator[Log]:
    """Read the visits as one log per ``size`` visits, in order.

    Each log holds one slot per request with ``propensity`` 1 / (number of candidates), the visitor as ``x_user_1``
    onwards (numbered as in the file), a requests table with the ``candidates``, and for R6A an items table with
    ``x_article_1`` to ``x_article_6``. Lines that are not visits are in the ``problems`` of their block.

    Parameters
    ----------
    paths
        One file or several of the same release, plain, .gz or .xz.
    size
        Visits in a block.

    Raises
    ------
    LogError
        A file is missing or damaged, or the releases are mixed.
    """
    if size < 1:
        raise InvalidInputError(f"size: expected at least 1 visit in a block, got {size}")
    block = _Block()
    for visit in stream(paths, reject=block.reject_line):
        block.add(visit)
        if len(block.visits) == size:
            yield block.log()
            block.clear()
    if block.visits or block.rejected:
        yield block.log()


@dataclass(slots=True)
class _Block:
    visits: list[Visit] = field(default_factory=list)
    articles: dict[str, FloatArray] = field(default_factory=dict)
    rejected: dict[str, list[str]] = field(default_factory=dict)
    n_rejected: dict[str, int] = field(default_factory=dict)

    def clear(self) -> None:
        for part in (self.visits, self.articles, self.rejected, self.n_rejected):
            part.clear()

    def reject_line(self, file: str, line: int, why: str) -> None:
        self._reject(MALFORMED, f"{file}:{line}: {why}")

    def _reject(self, reason: str, example: str) -> None:
        examples = self.rejected.setdefault(reason, [])
        self.n_rejected[reason] = self.n_rejected.get(reason, 0) + 1
        if len(examples) < N_EXAMPLES:
            examples.append(example)

    def add(self, visit: Visit) -> None:
        before = len(self.visits[0].user) if self.visits else len(visit.user)
        if len(visit.user) != before:
            raise LogError(
                f"{visit.file}, line {visit.line}: expected {before} features of a visitor, as before, "
                f"got {len(visit.user)}; read R6A and R6B apart"
            )
        pool = list(zip(visit.candidates, visit.features, strict=True))
        changed = [name for name, features in pool if not np.array_equal(self.articles.get(name, features), features)]
        if changed:
            self._reject(CHANGED, f"{visit.file}:{visit.line}: article {changed[0]}")
            return
        self.articles.update(pool)
        self.visits.append(visit)

    def log(self) -> Log:
        log = Log.from_frame(self._slots(), items=self._items(), requests=self._requests(), source=CARD.title)
        problems = [
            Problem(reason=reason, count=self.n_rejected[reason], examples=tuple(examples))
            for reason, examples in self.rejected.items()
        ]
        return replace(log, problems=(*log.problems, *problems))

    def _slots(self) -> pl.DataFrame:
        visits = self.visits
        slots = pl.DataFrame(
            {
                "request_id": self._request_ids(),
                "timestamp": [visit.timestamp for visit in visits],
                "position": [0] * len(visits),
                "item_id": [visit.shown for visit in visits],
                "propensity": [1.0 / len(visit.candidates) for visit in visits],
                "click": [visit.click for visit in visits],
            },
            schema=_SLOTS,
        )
        return slots.hstack(_columns([visit.user for visit in visits], "x_user"))

    def _requests(self) -> pl.DataFrame:
        candidates = [list(visit.candidates) for visit in self.visits]
        schema = pl.Schema({"request_id": pl.String(), "candidates": pl.List(pl.String())})
        return pl.DataFrame({"request_id": self._request_ids(), "candidates": candidates}, schema=schema)

    def _request_ids(self) -> list[str]:
        return [f"{visit.file}:{visit.line}" for visit in self.visits]

    def _items(self) -> pl.DataFrame | None:
        features = _columns(list(self.articles.values()), "x_article")
        return pl.DataFrame({"item_id": list(self.articles)}).hstack(features) if features.width else None


def _columns(vectors: list[FloatArray], prefix: str) -> pl.DataFrame:
    """One column per feature, numbered from 1."""
    width = len(vectors[0]) if vectors else 0
    return pl.DataFrame(np.array(vectors), schema=[f"{prefix}_{number}" for number in range(1, width + 1)])
