"""The position-based click model: whether a slot is looked at depends on its position alone."""

from __future__ import annotations

from sojourn.exposure.context_em import PseudoCounts
from sojourn.exposure.contexts import ByPosition
from sojourn.exposure.item_model import ItemClickModel, ItemEMSettings


class PositionBasedModel(ItemClickModel):
    """P(click on item a at position l) = w_l g_a (Richardson et al. 2007, Craswell et al. 2008), fitted by EM.

    Only the product is observed, so one weight is a convention: the first position of the log is taken as examined,
    w = 1, inside EM. That is EM of the constrained model: the log-posterior never falls and every estimate stays a
    probability, so nothing is rescaled or clipped afterwards.

    ``weights`` are (k,). A position below the log's deepest one, or one that the log skips, takes the weight of the
    nearest known one above it. An item that the log does not hold takes the attraction of all items pooled.

    Parameters
    ----------
    max_iterations
        Most EM iterations, >= 1.
    tolerance
        Stop when three iterations together raise the log-posterior by less than this, in nats. Sampling noise is
        worth half a nat for each parameter, whatever the size of the log.
    item_prior
        Pseudo-counts (attracted, not) added to each item; (0, 0) for maximum likelihood. By default one pseudo-view
        with the click rate of the first position. A prior far from the log's click rates, such as (1, 1) where one
        view in a hundred is clicked, lifts rarely shown items and thereby *lowers all weights but the first*.
    position_prior
        Pseudo-counts (examined, not) added to each position but the first.
    anchor_first
        False leaves all weights free; then only their ratios mean anything.
    initial_examination, initial_attraction
        Where EM starts, in (0, 1).
    accelerate
        False takes plain EM iterations only, which needs several times as many where clicks are rare.

    Notes
    -----
    ``item_prior=(1, 1), position_prior=(1, 1), anchor_first=False, accelerate=False, tolerance=0, max_iterations=50``
    takes the iterations that PyClick takes.

    Examples
    --------
    >>> import numpy as np
    >>> from sojourn.policies import Uniform
    >>> from sojourn.simulation import simulate_log, worlds
    >>> feed = worlds.lin(seed=0, n_items=50)  # whose slots are seen with 1, .64 and .49
    >>> log = simulate_log(feed, Uniform(), 5_000, rng=np.random.default_rng(0))
    >>> PositionBasedModel().fit(log).weights.round(2).tolist()
    [1.0, 0.6, 0.49]
    """

    _contexts = ByPosition()

    def __init__(
        self,
        *,
        max_iterations: int = 1000,
        tolerance: float = 1e-6,
        item_prior: PseudoCounts | None = None,
        position_prior: PseudoCounts = (0.1, 0.1),
        anchor_first: bool = True,
        initial_examination: float = 0.5,
        initial_attraction: float = 0.5,
        accelerate: bool = True,
    ) -> None:
        self._settings = ItemEMSettings(
            max_iterations=max_iterations,
            tolerance=tolerance,
            item_prior=item_prior,
            context_prior=position_prior,
            anchor_first=anchor_first,
            initial_examination=initial_examination,
            initial_attraction=initial_attraction,
            accelerate=accelerate,
        )
        self._fitted = None
