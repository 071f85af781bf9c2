"""What a live feed is like: how many people and items, what items earn, and how people look and leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sojourn.errors import ConfigError
from sojourn.simulation.sessions import Leaving


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveSettings:
    """Sizes, means and spreads of a `LiveFeed`; unless set, those of the world *all* of the findings.

    Weights are the change of the log-odds for one standard deviation of the score that they stand before.
    """

    days: int = 30
    """Days that the feed lives, >= 1."""
    n_live: int = 900
    """Items that are live on each day, >= 1."""
    replaced: float = 0.05
    """Share of the live items that new ones replace from one day to the next, 0 to 1."""
    n_users: int = 2_000
    """People, >= 1; each session is one of them, drawn anew."""
    n_sessions: int = 500
    """Sessions of a day, >= 1."""
    n_candidates: int = 100
    """Candidates of a session, drawn from the live items, ``n_steps`` to ``n_live``."""
    popularity: float = 0.0
    """How unevenly candidates are drawn, >= 0: the live item of rank r comes next with a chance in proportion to
    ``r ** -popularity``, none twice. 0 draws all alike. Ranks have nothing to do with what items earn."""
    n_steps: int = 48
    """Slots of a session at most, a multiple of ``page_size``."""
    page_size: int = 24
    """Slots of a page, >= 1."""
    n_dims: int = 10
    """Numbers that describe a person, and an item, >= 2."""
    reward_mean: float = 0.06
    """Mean click rate over people and items, in (0, 1)."""
    item_weight: float = 0.3
    """Weight of the item's description in the click rate, >= 0."""
    taste_weight: float = 0.6
    """Weight of the person's match with the item in the click rate, >= 0."""
    item_sd: float = 0.35
    """Standard deviation of what the description does not tell of an item's click rate, in log-odds, >= 0."""
    hit_share: float = 0.1
    """Share of the items that are hits, and share that are flops, 0 to .5 each."""
    hit_size: float = 1.0
    """What hits have in addition and flops lack, in log-odds, >= 0."""
    hazard_mean: float = 1.0 / 30.0
    """Mean hazard over people and items, in [0, 1): P(leaves | looked at the item)."""
    hazard_spread: float = 0.65
    """Standard deviation of the hazard, in means; 0 gives every item the mean hazard, else item effects make up what
    the two weights leave open."""
    hazard_item_weight: float = 0.35
    """Weight of the item's description in the hazard, >= 0."""
    hazard_taste_weight: float = 0.35
    """Weight of the person's match with the item in the hazard, >= 0."""
    cosine: float = 0.2
    """Of the two directions in which descriptions drive click rate and hazard, -1 to 1."""
    leaving: Leaving = "item_by_item"
    """``item_by_item``: people leave after any item that they looked at. ``page_end``: they go through the page, then
    leave with 1 - prod(1 - q)."""
    examination: tuple[float, ...] | None = None
    """P(looks at the slot | reached it), of each slot of the page, 0 to 1 each; None is 1 everywhere. An item that is
    not looked at is neither clicked, nor does it drive anybody away."""
    reward_decay: float = 0.0
    """psi >= 0 of `sojourn.planning.Fatigue`: with n items of its category before it, a click rate is R e^(-psi n)."""
    hazard_growth: float = 0.0
    """phi >= 0 of `sojourn.planning.Fatigue`: likewise a hazard is min(1, q (1 + phi n))."""
    n_categories: int = 8
    """Categories of items, all as frequent, >= 1; they have no part in anything but fatigue."""
    window: int = 10
    """Slots that fatigue remembers, >= 1."""
    delay_days: int = 0
    """Days by which the log comes late, >= 0; 0 is the evening of the day itself."""
    lost: float = 0.0
    """Probability that a page is missing in the log, in [0, 1)."""

    def __post_init__(self) -> None:
        _expect_counts(self)
        _expect_ranges(self)
        if self.leaving not in ("item_by_item", "page_end"):
            raise ConfigError(f"leaving: expected item_by_item or page_end, got {self.leaving!r}")
        if self.hazard_mean == 0.0 and self.hazard_spread > 0.0:
            raise ConfigError("hazard_spread: expected 0, since hazard_mean is 0 and nobody ever leaves")
        _expect_examination(self.examination, self.page_size)

    @property
    def n_pages(self) -> int:
        """Pages of a session at most."""
        return self.n_steps // self.page_size

    @property
    def n_arriving(self) -> int:
        """Items that arrive on each day but the first."""
        return round(self.replaced * self.n_live)

    @property
    def n_items(self) -> int:
        """Items that are live at any time."""
        return self.n_live + self.n_arriving * (self.days - 1)

    @property
    def tires(self) -> bool:
        """Whether people tire of a category."""
        return self.reward_decay > 0.0 or self.hazard_growth > 0.0


_LEAST: Final = {
    "days": 1,
    "n_live": 1,
    "n_users": 1,
    "n_sessions": 1,
    "n_candidates": 1,
    "n_steps": 1,
    "page_size": 1,
    "n_dims": 2,
    "n_categories": 1,
    "window": 1,
    "delay_days": 0,
}
_AT_MOST: Final = {"n_candidates": "n_live", "n_steps": "n_candidates"}
_INFINITY: Final = float("inf")
_RANGES: Final[dict[str, tuple[float, float]]] = {
    "replaced": (0.0, 1.0),
    "popularity": (0.0, _INFINITY),
    "item_weight": (0.0, _INFINITY),
    "taste_weight": (0.0, _INFINITY),
    "item_sd": (0.0, _INFINITY),
    "hit_share": (0.0, 0.5),
    "hit_size": (0.0, _INFINITY),
    "hazard_spread": (0.0, _INFINITY),
    "hazard_item_weight": (0.0, _INFINITY),
    "hazard_taste_weight": (0.0, _INFINITY),
    "cosine": (-1.0, 1.0),
    "reward_decay": (0.0, _INFINITY),
    "hazard_growth": (0.0, _INFINITY),
}


def _expect_counts(settings: LiveSettings) -> None:
    for name, least in _LEAST.items():
        if (value := getattr(settings, name)) < least:
            raise ConfigError(f"{name}: expected at least {least}, got {value}")
    for name, limit in _AT_MOST.items():
        if (value := getattr(settings, name)) > getattr(settings, limit):
            raise ConfigError(f"{name}: expected at most {limit}, {getattr(settings, limit)}, got {value}")
    if settings.n_steps % settings.page_size:
        raise ConfigError(f"n_steps: expected a multiple of page_size, {settings.page_size}, got {settings.n_steps}")


def _expect_ranges(settings: LiveSettings) -> None:
    for name, (low, high) in _RANGES.items():
        value = getattr(settings, name)
        if not (low <= value <= high and value < _INFINITY):
            raise ConfigError(f"{name}: expected a number from {low:g} to {high:g}, got {value}")
    if not 0.0 < settings.reward_mean < 1.0:
        raise ConfigError(f"reward_mean: expected a probability in (0, 1), got {settings.reward_mean}")
    for name in ("hazard_mean", "lost"):
        if not 0.0 <= (value := getattr(settings, name)) < 1.0:
            raise ConfigError(f"{name}: expected a probability in [0, 1), got {value}")


def _expect_examination(examination: tuple[float, ...] | None, page_size: int) -> None:
    if examination is None:
        return
    if len(examination) != page_size:
        raise ConfigError(f"examination: expected {page_size} of them, as page_size says, got {len(examination)}")
    if not all(0.0 <= value <= 1.0 for value in examination):
        raise ConfigError(f"examination: expected probabilities in [0, 1], got {examination}")


PRESETS: Final[dict[str, LiveSettings]] = {
    "all": LiveSettings(),
    "noleave": LiveSettings(hazard_spread=0.0),
    "seen": LiveSettings(leaving="page_end"),
    "described": LiveSettings(item_sd=0.0, hit_share=0.0),
    "static": LiveSettings(replaced=0.0),
    "fatigue": LiveSettings(reward_decay=0.15, hazard_growth=0.15, n_categories=8, window=10),
    "hazard 1/10": LiveSettings(hazard_mean=0.1),
    "narrow": LiveSettings(n_steps=6, page_size=6, hit_share=0.03, hit_size=1.5),
}
"""The worlds of the findings: everything at once; no item drives people away more than another; whole lists are looked
at; descriptions tell all of what items earn; nothing arrives; people tire; a third of the stay; one short page, where
hits are rare and large."""
