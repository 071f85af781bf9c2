"""What a session did so far, as features of what it shows next: the same numbers from a log and online.

`SessionFeatures` names the columns that count. ``of_log`` computes the features of every slot of a log; ``view`` of a
`SessionState` computes those of candidates, now, some steps ahead, or along hypothetical paths. A model that learned
from the one may be asked through the other. `SessionEncoder` puts them behind the features of a `FeatureEncoder`.
"""

from sojourn.logs.session.encoder import SessionEncoder
from sojourn.logs.session.features import SessionFeatures
from sojourn.logs.session.view import SessionView

__all__ = ["SessionEncoder", "SessionFeatures", "SessionView"]
