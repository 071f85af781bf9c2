"""Where each parameter of a survival model lies in one vector, and what they add up to."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from sojourn.exposure.survival.structure import Structure
from sojourn.records import FloatArray

Parameters = dict[str, FloatArray]
"""Views of a vector by name, empty where the model has no such parameter."""


class Layout:
    """The vector of all parameters: ``t0 + theta.x`` for attraction; for the hazard
    ``p0 + phi.x + c (psi + chi.x) + step_l + c click_step_l + session_s``; logit kappa_l; sigma.

    Parameters
    ----------
    structure
    width
        Length d of x.
    n_slots, n_sessions
    """  # noqa: D205  # two formulas, not a summary

    def __init__(self, structure: Structure, *, width: int, n_slots: int, n_sessions: int) -> None:
        self.structure, self.width, self.n_slots = structure, width, n_slots
        has = structure.hazard
        sizes = {
            "t0": 1,
            "theta": width,
            "p0": structure.leaves in {"anywhere", "after_click"},
            "phi": width * ("x" in has),
            "psi": "click" in has,
            "chi": width * ("click*x" in has),
            "step": n_slots * ("step" in has),
            "click_step": n_slots * ("click*step" in has),
            "session": n_sessions * ("session" in has),
            "kappa": (n_slots - 1) * structure.kappa,
            "sigma": structure.page_effect,
        }
        ends = np.cumsum(list(sizes.values()))
        self._slices = {
            name: slice(int(end - size), int(end)) for (name, size), end in zip(sizes.items(), ends, strict=True)
        }
        self.size = int(ends[-1])

    def split(self, vector: FloatArray) -> Parameters:
        """The parameters by name, as views; empty where the model has none."""
        return {name: vector[part] for name, part in self._slices.items()}

    def start(self, *, attraction: float) -> FloatArray:
        """Everything at 0, but a rate of attraction, hazards of .1, kappa of .9 and sigma of 1."""
        vector = np.zeros(self.size)
        by_name = self.split(vector)
        for name, value in {"t0": attraction, "p0": 0.1, "kappa": 0.9}.items():
            by_name[name][...] = np.log(value / (1.0 - value))
        by_name["sigma"][...] = 1.0
        return vector

    def shrunk(self) -> FloatArray:
        """(size,) 1 for each parameter that the ridge pulls to 0: all but the intercepts, kappa and sigma."""
        vector = np.ones(self.size)
        for name in ("t0", "p0", "kappa", "sigma"):
            self.split(vector)[name][...] = 0.0
        return vector

    def centred(self, vector: FloatArray) -> FloatArray:
        """The same model with the mean of each free effect in its intercept, where the ridge would have it.

        The likelihood is flat that way, so that a fit ends before it gets there; and the intercept is what an item or
        a session follows that the fit did not see.
        """
        vector = vector.copy()
        by_name = self.split(vector)
        of_items = [("theta", "t0"), ("phi", "p0"), ("chi", "psi")] if self.structure.attraction == "item" else []
        for effect, intercept in (*of_items, ("step", "p0"), ("session", "p0"), ("click_step", "psi")):
            if by_name[effect].size and by_name[intercept].size:
                mean = by_name[effect].mean()
                by_name[effect] -= mean
                by_name[intercept] += mean
        return vector

    def from_outcomes(self, vector: FloatArray) -> FloatArray:
        """Parameters from the coordinates of the fit, which are of skipped slots and of clicked ones.

        There psi and chi stand for p0 + psi and phi + chi: a slot then speaks of one of the two, and the fit takes
        half the passes.
        """
        return self._paired(vector, more=-1.0, base=0.0)

    def outcomes_of(self, vector: FloatArray) -> FloatArray:
        """The inverse of `from_outcomes`."""
        return self._paired(vector, more=1.0, base=0.0)

    def to_outcomes(self, gradient: FloatArray) -> FloatArray:
        """A gradient in the coordinates of the fit."""
        return self._paired(gradient, more=0.0, base=-1.0)

    def _paired(self, vector: FloatArray, *, more: float, base: float) -> FloatArray:
        """Add ``more`` times each parameter of all slots to its like of clicked ones, and ``base`` times that to it."""
        vector = vector.copy()
        by_name = self.split(vector)
        for of_all, of_clicked in (("p0", "psi"), ("phi", "chi"), ("step", "click_step")):
            if by_name[of_all].size and by_name[of_clicked].size:
                by_name[of_clicked] += more * by_name[of_all]
                by_name[of_all] += base * by_name[of_clicked]
        return vector


def attraction_line(parameters: Parameters) -> FloatArray:
    """Intercept and slopes of logit R, (1 + d,)."""
    return np.concatenate([parameters["t0"], parameters["theta"]])


def hazard_lines(parameters: Parameters) -> FloatArray:
    """Intercept and slopes of logit q after a skip and after a click, (2, 1 + d)."""
    zero = np.zeros_like(parameters["theta"])
    skip, more = (
        np.concatenate([_or(parameters[intercept], np.zeros(1)), _or(parameters[slopes], zero)])
        for intercept, slopes in (("p0", "phi"), ("psi", "chi"))
    )
    return np.stack([skip, skip + more])


def step_logits(parameters: Parameters, n_slots: int) -> FloatArray:
    """What the rank adds to logit q after a skip and after a click, (2, L); the deepest one goes on for ever."""
    skip, more = (_or(parameters[name], np.zeros(1)) for name in ("step", "click_step"))
    return np.stack([_first(skip, n_slots), _first(skip, n_slots) + _first(more, n_slots)])


def kappas(parameters: Parameters, n_slots: int) -> FloatArray:
    """Kappa by slot, (L,): 1 at the top. The deepest one goes on for ever."""
    return _first(np.append(1.0, expit(parameters["kappa"])), n_slots)


def _first(values: FloatArray, n_slots: int) -> FloatArray:
    return values.take(np.arange(n_slots), mode="clip")


def _or(values: FloatArray, absent: FloatArray) -> FloatArray:
    return values if values.size else absent
