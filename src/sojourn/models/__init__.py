"""What an item is worth: models of the expected reward that know their own doubt.

`BayesianRidge` has one set of parameters, or an independent one per slot; in `HybridRidge` the slots share a part.

Short codes of wide contexts come from ``sojourn.models.autoencoder`` (`DenoisingAutoencoder`), which is imported by
that name alone, since it needs the extra ``torch``.
"""

from __future__ import annotations

from sojourn.models.hybrid import HybridRidge
from sojourn.models.linear import BayesianRidge

__all__ = ["BayesianRidge", "HybridRidge"]
