"""Items that the network has not been trained on, read as the unknown item, which learns what newcomers are like."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import FieldEmbedding
from sojourn.records import UNKNOWN, Categorical, FieldLayout


class Newcomers:
    """Which codes have been trained on; the others share the embedding of the unknown code, and start from it.

    For that the unknown code is trained: a share of the rows of each step is learned as if its item were unknown
    (after DropoutNet, Volkovs et al. 2017). An item without data is then judged by its other features and by what
    items without data were like.

    Parameters
    ----------
    layout
        Its ``item_id`` names the field.
    share
        Share of the rows, in (0, 1).
    network
        Item tables are found where it uses `FieldEmbedding`; in any other the first steps of an item begin at its own
        random row.
    """

    def __init__(self, layout: FieldLayout, share: float, network: nn.Module) -> None:
        self._column = layout.item_column
        self._share = share
        field = next(f for f in layout.fields if isinstance(f, Categorical) and f.name == layout.item_id)
        device = next(network.parameters()).device
        self.trained = torch.zeros(field.n_levels, dtype=torch.bool, device=device)
        self.trained[UNKNOWN] = True
        at = layout.fields.index(field)
        embeddings = [module for module in network.modules() if isinstance(module, FieldEmbedding)]
        self._tables = [table for embedding in embeddings for table in embedding.parts[at].parameters()]

    def read(self, features: Tensor) -> Tensor:
        """The features (..., d) with the codes of items never trained on replaced by the unknown one."""
        codes = features[..., self._column]
        known = self.trained[codes.long()]
        if bool(known.all()):
            return features
        return self._replaced(features, torch.where(known, codes, UNKNOWN))

    def thinned(self, features: Tensor, *, generator: torch.Generator) -> Tensor:
        """The features (r, d) of a step, some items made unknown."""
        codes = features[:, self._column]
        made_unknown = torch.rand(codes.shape, generator=generator, device=codes.device) < self._share
        return self._replaced(features, torch.where(made_unknown, UNKNOWN, codes))

    def meet(self, features: Tensor) -> None:
        """Rows (r, d) are about to be trained on: items among them that are new start as copies of the unknown."""
        codes = torch.unique(features[:, self._column].long())
        new = codes[~self.trained[codes]]
        with torch.no_grad():
            for table in self._tables:
                table[new] = table[UNKNOWN].clone()
        self.trained[new] = True

    def state(self) -> dict[str, Tensor]:
        """Which codes have been trained on."""
        return {"trained": self.trained.clone()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take over what `state` gave."""
        trained = state.get("trained")
        if trained is None or trained.shape != self.trained.shape:
            came = "nothing" if trained is None else tuple(trained.shape)
            raise InvalidInputError(
                f"state: expected newcomers.trained of shape {tuple(self.trained.shape)}, got {came}; restore into a "
                "model made with the same arguments as the one that was stored"
            )
        self.trained.copy_(trained)

    def _replaced(self, features: Tensor, codes: Tensor) -> Tensor:
        features = features.clone()
        features[..., self._column] = codes
        return features
