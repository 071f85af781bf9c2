"""Candidates as a session sees them: its features now, and along paths that it may take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sojourn.errors import InvalidInputError
from sojourn.logs.session.history import CategoryHistory, NumberHistory
from sojourn.records import FloatArray, IntArray, SessionState
from sojourn.records.arrays import expect_shape

if TYPE_CHECKING:
    from sojourn.logs.session.features import SessionFeatures


class SessionView:
    """Features of candidates under a session's state, counted once for all questions; made by `SessionFeatures.view`.

    Parameters are those of `SessionFeatures.view`.
    """

    def __init__(
        self,
        features: SessionFeatures,
        state: SessionState,
        item_ids: NDArray[Any],
        columns: Mapping[str, NDArray[Any]],
        *,
        elapsed: float = 0.0,
        page_size: int | None = None,
    ) -> None:
        past = _past(features, state)
        _expect_columns(features, columns, (len(item_ids),))
        self._features = features
        if page_size is not None and page_size < 1:
            raise InvalidInputError(f"page_size: expected at least 1 item, or None for one page, got {page_size}")
        self._n_items, self._n_pages, self._elapsed = state.n_items, state.n_pages, elapsed
        self._page_size = page_size
        self._n_candidates = len(item_ids)
        self._items = CategoryHistory(state.item_ids, item_ids, state.click)
        self._categories = [CategoryHistory(past[name], columns[name], state.click) for name in features.categories]
        self._numbers = [NumberHistory(past[name], columns[name]) for name in features.numbers]

    def now(self) -> FloatArray:
        """Each candidate in the first slot of the next page, (m, f)."""
        return self.along(np.arange(self._n_candidates)[:, None])[:, 0]

    def ahead(self, n_steps: int) -> FloatArray:
        """Each candidate at each of the next steps, (t, m, f): ``step`` and ``page`` grow, all else is as it is now."""
        features = np.repeat(self.now()[None], n_steps, axis=0)
        for name, counted in (("step", self._steps(n_steps)), ("page", self._pages(n_steps))):
            features[..., self._features.names.index(name)] = np.log1p(counted)[:, None]
        return features

    def along(self, orders: IntArray) -> FloatArray:
        """Each step of the orders (p, t) of candidates, (p, t, f), without further clicks."""
        features = np.empty((self._features.n_features, *orders.shape))
        n_counts = 0
        for count in self._counts(orders):
            features[n_counts] = count
            n_counts += 1
        np.log1p(features[:n_counts], out=features[:n_counts])
        numbers = [value for number in self._numbers for value in number.along(orders)]
        if numbers:
            features[n_counts:] = numbers
        return np.moveaxis(features, 0, -1)

    def _steps(self, n_steps: int) -> IntArray:
        return np.arange(self._n_items, self._n_items + n_steps)

    def _pages(self, n_steps: int) -> IntArray:
        further = (
            np.zeros(n_steps, dtype=np.int64) if self._page_size is None else np.arange(n_steps) // self._page_size
        )
        return self._n_pages + further

    def _counts(self, orders: IntArray) -> Iterator[FloatArray | IntArray | float]:
        yield self._steps(orders.shape[1])
        yield self._pages(orders.shape[1])
        if self._features.seconds:
            yield self._elapsed
        yield self._items.shown(orders)
        for category in self._categories:
            yield category.shown(orders)
            yield category.recent(orders, self._features.window)
            yield category.switches(orders)
            if self._features.clicks:
                yield category.clicked(orders)


def _past(features: SessionFeatures, state: SessionState) -> Mapping[str, NDArray[Any]]:
    """The columns of what was shown; a session that begins has none yet."""
    if not state.n_items:
        return dict.fromkeys(features.columns, np.empty(0))
    missing = [name for name in features.columns if name not in state.columns]
    if missing:
        raise InvalidInputError(
            f"state: expected columns {', '.join(missing)} of the items shown, got {sorted(state.columns) or 'none'}; "
            "give them to SessionState.after"
        )
    return state.columns


def _expect_columns(features: SessionFeatures, columns: Mapping[str, NDArray[Any]], shape: tuple[int, ...]) -> None:
    missing = [name for name in features.columns if name not in columns]
    if missing:
        raise InvalidInputError(
            f"columns: expected values of {', '.join(missing)} for each candidate, got {sorted(columns) or 'none'}"
        )
    for name in features.columns:
        expect_shape(columns[name], shape, f"columns[{name!r}]")
