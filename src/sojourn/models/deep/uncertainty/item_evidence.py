"""What impressions tell of each item beyond what the network knew before it met them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from sojourn.errors import InvalidInputError
from sojourn.models.deep.device import blocks_of
from sojourn.models.deep.networks import expect_split
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.window import Window, unpacked
from sojourn.records import UNKNOWN, Categorical, FieldLayout


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Evidence:
    """By code of the item, c codes; nothing is known of items without impressions.

    Parameters
    ----------
    base : (c,) tensor
        By how much the network's log-odds of the item, on average over its impressions, are above those of an unknown
        item; 0 without impressions.
    log_likelihood : (c, g) tensor
        Of the item's clicks, if its log-odds are the network's, less the base, plus each offset of the grid.
    impressions : (c,) tensor
        Sum of the weights of its rows.
    information : float
        Mean p (1 - p) of an impression: what it tells of an offset. 0 without impressions.
    """

    base: Tensor
    log_likelihood: Tensor
    impressions: Tensor
    information: float

    @property
    def met(self) -> Tensor:
        """(c,) bool: items with impressions."""
        return self.impressions > 0.0


class ItemEvidence:
    """The last rows, and what they say of offsets of the log-odds, item by item.

    An item whose rows have all left the window counts as one without impressions.

    The network learns each item's offset too, slowly and without knowing how surely. So its own idea of it is taken
    out (the base), what remains is what it makes of everything but the item's code and of how tastes meet the item,
    and the clicks themselves say where the offset lies.

    Parameters
    ----------
    network, layout
        The layout names the item.
    grid : (g,) tensor
        Offsets, in log-odds.
    window
        Rows that count, >= 1.
    """

    def __init__(self, network: nn.Module, layout: FieldLayout, grid: Tensor, *, window: int) -> None:
        self._network = expect_split(network)
        self._column = layout.item_column
        self._n_codes = next(
            f.n_levels for f in layout.fields if isinstance(f, Categorical) and f.name == layout.item_id
        )
        self.grid = grid
        self._window = Window(window, layout.n_columns + 2, grid.device)

    def add(self, rows: TrainRows) -> None:
        """Keep rows, those of unknown items left out: they may be of many."""
        known = rows.features[:, self._column] != UNKNOWN
        packed = torch.cat([rows.features, rows.click[:, None], rows.weight[:, None]], dim=1)
        self._window.add(packed[known])

    def weigh(self) -> Evidence:
        """The evidence in the rows kept, as the network sees it now."""
        rows = unpacked(self._window.rows)
        code = rows.features[:, self._column].long()
        with torch.no_grad():
            log_odds, unknown = self._log_odds(rows.features)
            impressions = self._by_code(code, rows.weight)
            base = self._by_code(code, rows.weight * (log_odds - unknown)) / impressions.clamp(min=1e-12)
            return Evidence(
                base=base,
                log_likelihood=self._log_likelihood(code, log_odds - base[code], rows),
                impressions=impressions,
                information=_information(log_odds, rows.weight),
            )

    def state(self) -> dict[str, Tensor]:
        """The rows kept."""
        return self._window.state()

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take over what `state` gave.

        Raises
        ------
        InvalidInputError
            If it is of another window or layout.
        """
        if set(state) != {"rows", "n_added"}:
            raise InvalidInputError(f"state: expected the rows kept and n_added of item evidence, got {sorted(state)}")
        self._window.restore(state)

    def _log_odds(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Of the rows as they are, and with their items unknown, both (r,)."""
        unknown = features.clone()
        unknown[:, self._column] = UNKNOWN
        ours, theirs = (
            torch.cat([self._network.from_embedding(self._network.embed(block)) for block in blocks_of(rows)])
            for rows in (features, unknown)
        )
        return ours, theirs

    def _log_likelihood(self, code: Tensor, log_odds: Tensor, rows: TrainRows) -> Tensor:
        total = torch.zeros((self._n_codes, len(self.grid)), device=self.grid.device)
        parts = (code, log_odds, rows.click, rows.weight)
        for codes, base, click, weight in zip(*map(blocks_of, parts), strict=True):
            z = base[:, None] + self.grid
            total.index_add_(0, codes, weight[:, None] * (click[:, None] * z - softplus(z)))
        return total

    def _by_code(self, code: Tensor, values: Tensor) -> Tensor:
        return torch.zeros(self._n_codes, device=values.device).index_add_(0, code, values)


def _information(log_odds: Tensor, weight: Tensor) -> float:
    p = log_odds.sigmoid()
    return float((weight * p * (1.0 - p)).sum() / weight.sum().clamp(min=1e-12))
