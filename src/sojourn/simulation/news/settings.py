"""What a stream of news is like: how many people and articles, and how articles differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sojourn.errors import InvalidInputError


@dataclass(frozen=True, kw_only=True, slots=True)
class NewsSettings:
    """Sizes and spreads of a `NewsWorld`; the sizes are those of the findings unless set.

    Parameters
    ----------
    item_sd
        Standard deviation of the articles' appeal b_a, in log-odds.
    taste
        Standard deviation over people of what they feel about one article, ``z_u . v_a``, in log-odds.
    hit
        Appeal of a hit; None for a world without hits.
    hit_every
        One of so many arrivals is a hit, its place among them drawn.
    mean_click_rate
        Of a uniform policy over the stream.
    n_users, n_candidates, n_articles
        People, articles at a time and articles in all; those beyond the first ``n_candidates`` arrive evenly.
    n_blocks, block_size
        Blocks, and requests in each.
    n_warm_up
        Lines of uniform log before the stream.
    """

    item_sd: float
    taste: float
    hit: float | None = None
    hit_every: int = 19
    mean_click_rate: float = 0.036
    n_users: int = 4_000
    n_candidates: int = 38
    n_articles: int = 120
    n_blocks: int = 48
    block_size: int = 1_024
    n_warm_up: int = 80_000

    def __post_init__(self) -> None:
        if min(self.item_sd, self.taste) < 0.0 or not 0.0 < self.mean_click_rate < 1.0:
            raise InvalidInputError(
                "item_sd, taste, mean_click_rate: expected spreads >= 0 and a rate in (0, 1), got "
                f"{self.item_sd}, {self.taste}, {self.mean_click_rate}"
            )
        expect_at_least(self, hit_every=1, n_users=2, n_candidates=1, n_blocks=1, block_size=1, n_warm_up=0)
        most = self.n_candidates * self.n_blocks
        if not self.n_candidates <= self.n_articles <= most:
            raise InvalidInputError(
                f"n_articles: expected n_candidates to n_candidates * n_blocks, {self.n_candidates} to {most}, since "
                f"each is there for a block or more, got {self.n_articles}"
            )


def expect_at_least(settings: object, **least: int) -> None:
    """Refuse settings of which a size is smaller than the least it may be."""
    small = {name: getattr(settings, name) for name in least if getattr(settings, name) < least[name]}
    if small:
        told = ", ".join(f"{name} >= {least[name]}" for name in small)
        got = ", ".join(f"{name}={value}" for name, value in small.items())
        raise InvalidInputError(f"expected {told}, got {got}")


SMOOTH: Final = NewsSettings(item_sd=0.36, taste=0.14)
"""World S: the appeal of articles is spread evenly; the best article earns about 7.4 %."""

HITS: Final = NewsSettings(item_sd=0.15, taste=0.21, hit=0.80)
"""World H: a few hits among articles that are much alike; the best article earns about 7.9 %."""
