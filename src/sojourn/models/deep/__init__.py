"""Deep click models that learn from a stream, and what they do not know; all need the extra ``torch``."""

from __future__ import annotations

from sojourn.errors import MissingExtraError

try:
    import torch  # noqa: F401
except ImportError as error:
    raise MissingExtraError("torch", "torch") from error
