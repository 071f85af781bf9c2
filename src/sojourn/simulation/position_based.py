"""A feed whose people follow the position-based model over features: P(click in slot l) = l^-eta * attraction(x)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sojourn.errors import ConfigError, InvalidInputError
from sojourn.records import Decision, Feedback, FloatArray, IntArray, Request
from sojourn.simulation.attraction import LinearAttraction, LogitAttraction

_USER_WEIGHT, _THRESHOLD, _FLOOR, _MIXING_SD = 0.6, 0.25, 0.01, 0.5
_N_PILOT = 20_000
_N_REDRAWS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedConfig:
    """What a `PositionBasedFeed` is made of."""

    attraction: LinearAttraction | LogitAttraction = field(default_factory=LinearAttraction)
    """How features become attraction."""
    n_items: int = 900
    """Items in the catalogue."""
    n_candidates: int | None = None
    """Candidates m of a request, drawn at random from the catalogue; None for all of it."""
    n_slots: int = 3
    """Slots k to fill."""
    n_factors: int = 5
    """Hidden normal factors of each person and each item."""
    n_features: int = 10
    """Features d that a policy sees."""
    eta: float = 0.65
    """Slot l = 1, 2, ... is examined with probability l^-eta."""
    ranker_noise: float = 1.5
    """Error of the production ranker, whose order the candidates come in: a normal added to the attraction, in units
    of the attraction's standard deviation among the candidates. 0 is a perfect ranker. At 1.5, with 900 candidates, the
    best slates earn a third more than the ranker's."""

    def __post_init__(self) -> None:
        if not 1 <= self.n_slots <= self.m <= self.n_items:
            raise ConfigError(
                "n_slots, n_candidates, n_items: expected 1 <= n_slots <= n_candidates <= n_items, "
                f"got {self.n_slots}, {self.m} and {self.n_items}"
            )
        if min(self.n_factors, self.n_features) < 1:
            raise ConfigError(
                f"n_factors and n_features: expected at least 1, got {self.n_factors} and {self.n_features}"
            )
        if not (self.eta >= 0.0 and self.ranker_noise >= 0.0):
            raise ConfigError(f"eta and ranker_noise: expected >= 0, got {self.eta} and {self.ranker_noise}")

    @property
    def m(self) -> int:
        """Number of candidates of a request."""
        return self.n_items if self.n_candidates is None else self.n_candidates


class PositionBasedFeed:
    """An `Environment` of people who examine slot l with probability l^-eta and click what they see and like.

    With normal factors i of the item and u of the person, the features are ``max(f W + .25, 0) + .01`` for
    ``f = [i; .6 u; u * i]`` and a mixing matrix W of normals (sd .5) that the world draws once. Every request is a
    new person. Requests carry an id drawn from ``rng``, so the environment itself never changes.

    Parameters
    ----------
    config
        The world's settings.
    seed
        Seed of the world: its items, its mixing matrix and the coefficients of attraction.
    """

    def __init__(self, config: FeedConfig, *, seed: int) -> None:
        self.config = config
        rng = np.random.default_rng(seed)
        width = config.n_factors
        mixing = rng.normal(scale=_MIXING_SD, size=(3 * width, config.n_features))
        self._items = rng.standard_normal((config.n_items, width))
        self._item_part = self._items @ mixing[:width] + _THRESHOLD
        self._user_mixing = _USER_WEIGHT * mixing[width : 2 * width]
        self._cross_mixing = mixing[2 * width :]
        pilot = self._features(rng.integers(config.n_items, size=_N_PILOT), rng.standard_normal((_N_PILOT, width)))
        self.attraction = config.attraction.realize(pilot, rng=rng)
        self.examination: FloatArray = np.arange(1.0, config.n_slots + 1.0) ** -config.eta
        """(k,) P(examined) of each slot."""

    def _features(self, items: IntArray | slice, user: FloatArray) -> FloatArray:
        """(r, d) features of items for one person (n_factors,), or for one person a row (r, n_factors)."""
        hidden = (self._items[items] * user) @ self._cross_mixing
        hidden += self._item_part[items]
        hidden += user @ self._user_mixing
        np.maximum(hidden, 0.0, out=hidden)
        hidden += _FLOOR
        return hidden

    def request(self, *, rng: np.random.Generator) -> Request:
        """A new person; the candidates come in the order of the production ranker.

        With the linear link a person to whom some item would attract with more than probability 1 is drawn again
        (about one in 40,000 in the world `lin`).
        """
        config = self.config
        for _ in range(_N_REDRAWS):
            items = self._candidates(rng)
            features = self._features(items, rng.standard_normal(config.n_factors))
            attraction = self.attraction(features)
            if attraction.max() <= 1.0:
                break
        else:
            raise ConfigError(
                f"attraction: {_N_REDRAWS} people in a row had attractions over 1, got a maximum of "
                f"{attraction.max():.3g}; lower its mean or sd, or use LogitAttraction"
            )
        noise = rng.standard_normal(len(attraction)) * (config.ranker_noise * attraction.std())
        order = np.argsort(-attraction - noise)
        return Request(
            request_id=f"{rng.integers(1 << 63):016x}",
            item_ids=order if isinstance(items, slice) else items[order],
            features=features[order],
            n_slots=config.n_slots,
        )

    def _candidates(self, rng: np.random.Generator) -> IntArray | slice:
        if self.config.n_candidates is None:
            return slice(None)
        return rng.choice(self.config.n_items, size=self.config.m, replace=False, shuffle=False)

    def feedback(self, request: Request, decision: Decision, *, rng: np.random.Generator) -> Feedback:
        """Clicks, independent given the slate; one uniform is drawn for each slot, from the top."""
        probability = self._click_probability(request, decision.chosen)
        click = rng.random(len(probability)) < probability
        return Feedback(request_id=request.request_id, click=click.astype(np.float64))

    def expected_reward(self, request: Request, chosen: IntArray) -> float:
        """Sum over the slots of examination times attraction."""
        return float(self._click_probability(request, chosen).sum())

    def best_slate(self, request: Request) -> IntArray:
        """The most attractive candidates, the best on top: examination falls from slot to slot."""
        return np.argsort(-self.attraction(request.features), kind="stable")[: request.n_slots]

    def _click_probability(self, request: Request, chosen: IntArray) -> FloatArray:
        if len(chosen) > len(self.examination):
            raise InvalidInputError(
                f"chosen: expected at most {len(self.examination)} items (the slots of this feed), got {len(chosen)}"
            )
        return self.examination[: len(chosen)] * self.attraction(request.features[chosen])
