"""The user browsing model (UBM): whether a slot is looked at depends on where the last click above it was."""

from __future__ import annotations

from sojourn.exposure.context_em import PseudoCounts
from sojourn.exposure.contexts import ByLastClick
from sojourn.exposure.item_model import ItemClickModel, ItemEMSettings


class BrowsingModel(ItemClickModel):
    """P(click on item a at position l, last click above it at l') = w_{l,l'} g_a (Dupret and Piwowarski 2008).

    The last click is known wherever clicks were logged, so this is the position-based model with the pair (l, l') in
    the place of the position, and is fitted by the same EM on counts. The first position before any click is the one
    whose weight is 1 by convention.

    ``weights`` are (k, k) as ``[position, last]``, the last column (-1) for no click above, 0 where no click can lie
    above. A pair that the log does not hold takes the weight of the pair one position up the page, (l - 1, l' - 1),
    and so on until a known one is met; a last click that leaves the top is none. Pairs below the log's deepest position
    move up likewise. An item that the log does not hold takes the attraction of all items pooled.

    ``filtered_examination`` is w_{l,l'}; ``examination`` averages it over the clicks above, exactly.

    Parameters
    ----------
    context_prior
        Pseudo-counts (examined, not) added to each pair (l, l') but the first.
    max_iterations, tolerance, item_prior, anchor_first, initial_examination, initial_attraction, accelerate
        As in `PositionBasedModel`.

    Raises
    ------
    InvalidInputError
        From all methods that read pages: if positions do not rise from slot to slot of a page.

    Notes
    -----
    ``item_prior=(1, 1), context_prior=(1, 1), anchor_first=False, accelerate=False, tolerance=0, max_iterations=50``
    takes the iterations that PyClick takes.
    """

    _contexts = ByLastClick()

    def __init__(
        self,
        *,
        max_iterations: int = 1000,
        tolerance: float = 1e-6,
        item_prior: PseudoCounts | None = None,
        context_prior: PseudoCounts = (0.1, 0.1),
        anchor_first: bool = True,
        initial_examination: float = 0.5,
        initial_attraction: float = 0.5,
        accelerate: bool = True,
    ) -> None:
        self._settings = ItemEMSettings(
            max_iterations=max_iterations,
            tolerance=tolerance,
            item_prior=item_prior,
            context_prior=context_prior,
            anchor_first=anchor_first,
            initial_examination=initial_examination,
            initial_attraction=initial_attraction,
            accelerate=accelerate,
        )
        self._fitted = None
