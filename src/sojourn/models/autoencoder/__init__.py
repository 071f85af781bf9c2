"""Short codes of wide contexts: a denoising autoencoder as a scikit-learn transformer.

>>> from sojourn.models.autoencoder import DenoisingAutoencoder
>>> DenoisingAutoencoder(hidden=(25, 10, 10, 25)).code_layer
2

Needs the extra ``torch``: scikit-learn always, torch to fit. A fitted one encodes with NumPy.
"""

from __future__ import annotations

from sojourn.errors import MissingExtraError

try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise MissingExtraError("scikit-learn", "torch") from error

from sojourn.models.autoencoder.estimator import DenoisingAutoencoder

__all__ = ["DenoisingAutoencoder"]
