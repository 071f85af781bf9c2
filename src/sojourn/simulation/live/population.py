"""People and items that a live feed is given in place of drawn ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sojourn.errors import InvalidInputError
from sojourn.records import FloatArray
from sojourn.records.arrays import expect_finite, expect_shape
from sojourn.simulation.live.settings import LiveSettings

_POOL = 5  # beside the feed's own streams of chance


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Population:
    """Tastes and descriptions, such as real ones. A `LiveFeed` takes its items from them, in an order by its seed.

    Settings keep their meaning if each column has mean 0 and standard deviation 1, and columns are uncorrelated.

    Parameters
    ----------
    users : (n_users, d) float
        Tastes u.
    items : (n_items, d) float
        Descriptions x; as many as the feed's days need, or more.
    taste : (d,) float, optional
        How much each number of ``u * x`` counts for a click, >= 0, the squares' sum 1: the direction to which
        ``taste_weight`` gives the length. Drawn by the feed unless given, and then a match may as well drive away.
    """

    users: FloatArray
    items: FloatArray
    taste: FloatArray | None = None

    def __post_init__(self) -> None:
        if self.users.ndim != 2 or self.users.shape[1] < 2 or not len(self.users):
            raise InvalidInputError(
                f"users: expected an array of shape (n_users, d) with d >= 2, got {self.users.shape}"
            )
        if self.items.ndim != 2 or self.items.shape[1] != self.users.shape[1]:
            raise InvalidInputError(
                f"items: expected an array of shape (n_items, {self.users.shape[1]}), as many numbers as a person has, "
                f"got {self.items.shape}"
            )
        expect_finite(self.users, "users")
        expect_finite(self.items, "items")
        if self.taste is not None:
            expect_shape(self.taste, (self.n_dims,), "taste")
            if not (self.taste >= 0.0).all() or not np.isclose(self.taste @ self.taste, 1.0):
                raise InvalidInputError(f"taste: expected weights >= 0 whose squares sum to 1, got {self.taste}")

    @property
    def n_dims(self) -> int:
        """Numbers d that describe a person, and an item."""
        return int(self.users.shape[1])

    def sized(self, settings: LiveSettings) -> LiveSettings:
        """The settings with these people, and no more live items and candidates than the items last for.

        Raises
        ------
        ConfigError
            If a session has more slots than items can then be live.
        """
        n_live = settings.n_live
        while n_live > 1 and n_live + round(settings.replaced * n_live) * (settings.days - 1) > len(self.items):
            n_live -= 1
        return replace(
            settings,
            n_users=len(self.users),
            n_dims=self.n_dims,
            n_live=n_live,
            n_candidates=min(settings.n_candidates, n_live),
        )

    def some(self, settings: LiveSettings, *, seed: int) -> tuple[FloatArray, FloatArray]:
        """All users, and as many items as the settings need, in an order drawn by the seed.

        Raises
        ------
        InvalidInputError
            If the settings have another number of people or of dimensions, or need more items than there are.
        """
        for name, value in (("n_users", len(self.users)), ("n_dims", self.n_dims)):
            if (got := getattr(settings, name)) != value:
                raise InvalidInputError(
                    f"{name}: expected {value}, as the population has, got {got}; Population.sized gives settings that "
                    "fit"
                )
        if settings.n_items > len(self.items):
            raise InvalidInputError(
                f"population: expected at least {settings.n_items} items, as many as are live in {settings.days} days, "
                f"got {len(self.items)}; lower n_live, replaced or days, or take Population.sized"
            )
        order = np.random.default_rng([seed, _POOL]).permutation(len(self.items))
        return self.users, self.items[order[: settings.n_items]]
