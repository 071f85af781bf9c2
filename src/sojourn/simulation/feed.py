"""A feed of people with tastes: a catalogue, what attracts, and how people look at a slate, put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

import numpy as np

from sojourn.errors import ConfigError, InvalidInputError
from sojourn.records import Decision, Feedback, FloatArray, IntArray, Request
from sojourn.simulation.attraction import Attraction
from sojourn.simulation.catalogue import Catalogue
from sojourn.simulation.readers import R_co
from sojourn.simulation.slate_clicks import SlateClicks

_N_REDRAWS = 100


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Feed(Generic[R_co]):
    """An `Environment` in which every request is a new person.

    Requests carry an id drawn from ``rng``, so the feed itself never changes.

    Parameters
    ----------
    catalogue
        Items, people and features.
    attraction
        P(click | seen) of a feature row: the truth to learn.
    readers
        How people look at a slate; further truth is read there, such as ``readers.examination``.
    n_slots
        Slots k to fill.
    n_candidates
        Candidates m of a request, drawn at random from the catalogue; None for all of it.
    ranker_noise
        Error of the production ranker, whose order the candidates come in: a normal added to the attraction, in units
        of the attraction's standard deviation among the candidates. 0 is a perfect ranker. At 1.5, with 900
        candidates, the best slates of the world `lin` earn a third more than the ranker's.
    viewport
        True: the feedback tells what was seen, as an app with a viewport signal does.
    """

    catalogue: Catalogue
    attraction: Attraction
    readers: R_co
    n_slots: int = 3
    n_candidates: int | None = None
    ranker_noise: float = 1.5
    viewport: bool = False

    def __post_init__(self) -> None:
        n_items = self.catalogue.n_items
        m = n_items if self.n_candidates is None else self.n_candidates
        if not 1 <= self.n_slots <= m <= n_items:
            raise ConfigError(
                f"n_slots, n_candidates: expected 1 <= n_slots <= n_candidates <= {n_items} (the items), "
                f"got {self.n_slots} and {m}"
            )
        if not self.ranker_noise >= 0.0:
            raise ConfigError(f"ranker_noise: expected >= 0, got {self.ranker_noise}")

    def request(self, *, rng: np.random.Generator) -> Request:
        """A new person; the candidates come in the order of the production ranker.

        With the linear link a person to whom some item would attract with more than probability 1 is drawn again
        (about one in 40,000 in the world `lin`, one in 4,000 in `cannibal`).
        """
        for _ in range(_N_REDRAWS):
            items = self._candidates(rng)
            features = self.catalogue.features(items, self.catalogue.person(rng=rng))
            attraction = self.attraction(features)
            if attraction.max() <= 1.0:
                break
        else:
            raise ConfigError(
                f"attraction: {_N_REDRAWS} people in a row had attractions over 1, got a maximum of "
                f"{attraction.max():.3g}; lower its mean or sd, or use LogitAttraction"
            )
        noise = rng.standard_normal(len(attraction)) * (self.ranker_noise * attraction.std())
        order = np.argsort(-attraction - noise)
        return Request(
            request_id=f"{rng.integers(1 << 63):016x}",
            item_ids=order if isinstance(items, slice) else items[order],
            features=features[order],
            n_slots=self.n_slots,
        )

    def _candidates(self, rng: np.random.Generator) -> IntArray | slice:
        if self.n_candidates is None:
            return slice(None)
        return rng.choice(self.catalogue.n_items, size=self.n_candidates, replace=False, shuffle=False)

    def feedback(self, request: Request, decision: Decision, *, rng: np.random.Generator) -> Feedback:
        """Clicks by the readers' generative story; people with the same ``rng`` are alike."""
        click, seen = self.clicks(request, decision.chosen).draw(rng=rng)
        return Feedback(request_id=request.request_id, click=click, seen=seen if self.viewport else None)

    def expected_reward(self, request: Request, chosen: IntArray) -> float:
        """Exact, by the readers' formula."""
        return self.clicks(request, chosen).expected_clicks

    def expected_set_reward(self, request: Request, chosen: IntArray) -> float:
        """Exact, by the readers' formula."""
        return self.clicks(request, chosen).any_click

    def best_slate(self, request: Request) -> IntArray:
        """The readers' best; see there whether it is exact."""
        return self.readers.best(self.attraction(request.features), request.features, request.n_slots)

    def clicks(self, request: Request, chosen: IntArray) -> SlateClicks:
        """How the clicks on a slate are distributed."""
        if len(chosen) > self.n_slots:
            raise InvalidInputError(
                f"chosen: expected at most {self.n_slots} items (the slots of this feed), got {len(chosen)}"
            )
        features: FloatArray = request.features[chosen]
        return self.readers.clicks(self.attraction(features), features)
