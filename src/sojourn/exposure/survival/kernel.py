"""The recursions of the survival model, on pages that lie slot by slot.

A person sees slot 1, clicks a seen slot l with probability p_l, leaves after a seen slot with probability q_l (which
may depend on the click), and sees slot l + 1 otherwise. D is the last slot seen. Arrays are (L, b), slot before page,
so that each step of a recursion runs over contiguous memory; axes between the two broadcast. An empty slot has
p = q = 0 and changes nothing.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sojourn.records import BoolArray, FloatArray

_TINY: Final = np.finfo(np.float64).tiny
_RESCALE_EVERY: Final = 16  # slots; the product of so many probabilities is far from underflow


def posterior(
    outcome: FloatArray, go: FloatArray, leave: FloatArray, end: FloatArray, *, seen: FloatArray, left: FloatArray
) -> FloatArray:
    """Log-likelihood of each page and where its reader went, in O(L) and with one logarithm a page.

    With V_l the probability of all that happened from slot l on, given that l is seen, and T_l the part of it that
    comes after the click: T_l = go_l V_{l+1} + leave_l and V_l = outcome_l T_l. Given the page, the reader who sees l
    leaves right after it with probability leave_l / T_l.

    Parameters
    ----------
    outcome : (L, b) float
        P(the click or non-click that happened | seen).
    go : (L, b) float
        1 - q for the click that happened.
    leave : (L, b) float
        q for the click that happened; 0 where the reader is known to have gone on, as above a later click.
    end : (b,) float
        P(what is known of the time after the page | went past its last slot): 1 if nothing is known.
    seen : (L, b) float
        Written: P(D >= l | the page).
    left : (L, b) float
        Written: P(D = l, and l was left | the page).

    Returns
    -------
    (b,) float
        -inf where the page is impossible.
    """
    n_slots = len(outcome)
    ahead, log_scale = end.copy(), np.zeros(end.shape)
    for slot in reversed(range(n_slots)):
        total = seen[slot]
        np.multiply(go[slot], ahead, out=total)
        total += leave[slot]
        np.multiply(outcome[slot], total, out=ahead)
        if slot and slot % _RESCALE_EVERY == 0:  # where nobody can have left above, a factor is as good as its log
            scale = np.where((leave[:slot] > 0.0).any(axis=0) | (ahead == 0.0), 1.0, ahead)
            log_scale += np.log(scale)
            ahead /= scale
    np.maximum(seen, _TINY, out=seen)
    np.divide(leave, seen, out=left)
    seen[0] = 1.0
    for slot in range(n_slots - 1):
        left[slot] *= seen[slot]
        np.subtract(seen[slot], left[slot], out=seen[slot + 1])
    left[-1] *= seen[-1]
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(ahead, out=ahead) + log_scale)


def marginal(weights: FloatArray, click: FloatArray, go: FloatArray) -> tuple[FloatArray, FloatArray]:
    """P(seen) and P(clicked) of each slot before any click is known, both (L, b).

    Parameters
    ----------
    weights : (j,) float
        Of the values of the page effect.
    click : (j, L, b) float
        P(click | seen, page effect).
    go : (2, L, b) float
        1 - q after a skip and after a click.
    """
    seen, clicked = np.empty(click.shape[1:]), np.empty(click.shape[1:])
    reached = np.repeat(weights[:, None], click.shape[2], axis=1)
    for slot in range(click.shape[1]):
        here = reached * click[:, slot]
        seen[slot], clicked[slot] = reached.sum(axis=0), here.sum(axis=0)
        reached = here * go[1, slot] + (reached - here) * go[0, slot]
    return seen, clicked


def filtered(weights: FloatArray, click: FloatArray, go: FloatArray, clicked: BoolArray) -> FloatArray:
    """P(seen | the clicks above) of each slot, (L, b): alpha of the specification.

    Parameters are those of `marginal`, but for ``go`` (L, b), which is 1 - q for the click that happened, and
    ``clicked`` (L, b).
    """
    alpha = np.empty(clicked.shape)
    here = np.repeat(weights[:, None], click.shape[2], axis=1)  # P(effect, slot seen | clicks above)
    gone = np.zeros_like(here)  # P(effect, slot not seen | clicks above)
    for slot in range(len(alpha)):
        alpha[slot] = here.sum(axis=0)
        after = here * np.where(clicked[slot], click[:, slot], 1.0 - click[:, slot])
        here = after * go[slot]
        gone = np.where(clicked[slot], 0.0, gone) + after - here
        total = np.maximum((here + gone).sum(axis=0), _TINY)
        here, gone = here / total, gone / total
    return alpha
