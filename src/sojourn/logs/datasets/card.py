"""What one needs to know of a data set before using it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetCard:
    """One row of ``sojourn datasets``.

    Parameters
    ----------
    name
        Short name, also that of the module that reads the set.
    title
        What its authors call it.
    size
        How much there is, in the set's own units.
    exposure, click, position, propensity, session_end
        Whether and in what form the set holds each quantity: what it can and cannot be used for.
    licence
        Terms under which its owners give it away.
    source
        Where to get it.
    load
        Full name of the function that reads it.
    citation
        What to cite.
    """

    name: str
    title: str
    size: str
    exposure: str
    click: str
    position: str
    propensity: str
    session_end: str
    licence: str
    source: str
    load: str
    citation: str
