"""Which columns of a session count, and the features that they give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from sojourn.errors import InvalidInputError
from sojourn.logs.session.in_log import features_of_log
from sojourn.logs.session.view import SessionView
from sojourn.records import FloatArray, IntArray, SessionState

if TYPE_CHECKING:
    from sojourn.logs.log import Log


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionFeatures:
    """Features of an item in its slot, from what is known when the slot is filled.

    That is every item of the pages before, with its click, and the items above on the same page, whose clicks are not
    known yet. Counts n become log(1 + n): the tenth repeat says less than the first. Numbers keep their units.

    ====================  =============================================================================================
    ``step``              items shown before, a count
    ``page``              pages shown before, a count
    ``seconds``           since the session's first page, as a count; if ``seconds``
    ``repeats``           how often this very item was shown, a count
    ``<c>.shown``         how often the category of this item was shown, a count
    ``<c>.recent``        the same among the last ``window`` items
    ``<c>.switches``      how often an item's category was not that of the item before, this item included, a count
    ``<c>.clicked``       how often this category was clicked on earlier pages, a count; if ``clicks``
    ``<x>.mean``          running mean of the items before; of the first item its own value
    ``<x>.distance``      value of this item minus that mean
    ``<x>.change``        value of this item minus that of the item before
    ====================  =============================================================================================

    An unknown category (null, NaN) is like no other and unlike no other: it is counted 0 times and never a switch.
    Unknown numbers stay out of means, and what would need them is 0.

    Parameters
    ----------
    categories, numbers
        Columns of the log or its tables; c and x above.
    clicks
        Whether clicks tell something: False where every row is a click.
    seconds
        Whether the log and the app have a clock.
    window
        Items that count as recent, >= 1.
    """

    categories: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    clicks: bool = True
    seconds: bool = False
    window: int = 10

    def __post_init__(self) -> None:
        if self.window < 1:
            raise InvalidInputError(f"window: expected at least 1 item, got {self.window}")
        repeated = {name for name in self.columns if self.columns.count(name) > 1}
        if repeated:
            raise InvalidInputError(f"categories and numbers: expected each column once, got {sorted(repeated)} twice")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a log, a state and candidates must have."""
        return (*self.categories, *self.numbers)

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each feature."""
        of_category = ("shown", "recent", "switches", "clicked")[: 3 + self.clicks]
        return (
            *("step", "page", *["seconds"] * self.seconds, "repeats"),
            *(f"{name}.{count}" for name in self.categories for count in of_category),
            *(f"{name}.{value}" for name in self.numbers for value in ("mean", "distance", "change")),
        )

    @property
    def n_features(self) -> int:
        """Number of features f."""
        return len(self.names)

    def of_log(self, log: Log) -> FloatArray:
        """Features of what was shown, (r, f), in the order of ``log.slots``.

        The pages of a session stand in order of ``step``, then of the file. A session that was cut counts from the
        cut on; so split logs at sessions.

        Raises
        ------
        LogError
            If a column is missing, or ``seconds`` and a row has no timestamp.
        """
        return features_of_log(self, log)

    def view(
        self,
        state: SessionState,
        item_ids: NDArray[Any],
        columns: Mapping[str, NDArray[Any]],
        *,
        elapsed: float = 0.0,
        page_size: int | None = None,
    ) -> SessionView:
        """Candidates (m,) with their columns, (m,) each, as a session sees them.

        ``elapsed`` is the time of the page to fill, in seconds since the session's first page; paths are pages of
        ``page_size`` items, or one page if it is None.

        Raises
        ------
        InvalidInputError
            If the candidates or the state lack a column.
        """
        return SessionView(self, state, item_ids, columns, elapsed=elapsed, page_size=page_size)

    def of_candidates(
        self,
        state: SessionState,
        item_ids: NDArray[Any],
        columns: Mapping[str, NDArray[Any]],
        *,
        elapsed: float = 0.0,
    ) -> FloatArray:
        """Features of candidates for the first slot of the next page, (m, f); as `view`."""
        return self.view(state, item_ids, columns, elapsed=elapsed).now()

    def of_paths(
        self,
        state: SessionState,
        item_ids: NDArray[Any],
        columns: Mapping[str, NDArray[Any]],
        orders: IntArray,
        *,
        elapsed: float = 0.0,
    ) -> FloatArray:
        """Features along pages that hold candidates in the orders (p, t), (p, t, f); as `view`."""
        return self.view(state, item_ids, columns, elapsed=elapsed).along(orders)
