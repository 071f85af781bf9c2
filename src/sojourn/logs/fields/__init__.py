"""From the columns of a log to rows with codes, as networks with embeddings take them.

Where a `FeatureEncoder` gives a level a feature of its own, a `FieldEncoder` gives it a code, so that a column may have
thousands: the ids of items and users too. Its ``layout`` says which column holds what.
"""

from sojourn.logs.fields.encoder import FieldEncoder

__all__ = ["FieldEncoder"]
