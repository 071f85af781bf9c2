"""A posterior of the last layer's weights, the layers below taken as they are."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from sojourn.errors import InvalidInputError
from sojourn.models.deep.networks import MakeNetwork, expect_split, layer_pass
from sojourn.models.deep.rows import TrainRows
from sojourn.models.deep.uncertainty.arguments import expect_like, expect_prior, expect_scale
from sojourn.models.deep.uncertainty.base import Uncertainty
from sojourn.models.deep.uncertainty.hidden import LastHidden
from sojourn.records import FieldLayout, Look

_CHUNK: Final = 8192  # rows at a time
_TRIAL: Final = tuple(10.0 ** (k / 4 - 2) for k in range(17))  # .01 to 100: what bends may be straight near 0


class LastLayer(Uncertainty):
    """Bayesian logistic regression on the last hidden layer h, to which a 1 is added (Laplace's approximation).

    The precision of the weights is A = prior I + sum of w p (1 - p) h h' over the rows observed, and the squared
    spread scale^2 h' A^-1 h. With ``diagonal`` only the diagonal of A counts, which is last-layer NeuralTS as run on
    Yahoo's log, scale^2 being its lambda nu; there p (1 - p) is left out, which is another scale and prior where click
    rates are alike. Also, here the candidates of a request share one draw of the weights.

    The network goes on learning, so what was said of h long ago is about other features. ``forgetting`` lets it fade:
    with each block, what is known of the blocks before counts that much less. By default nothing is forgotten.

    Parameters
    ----------
    scale
        Factor on the spread, >= 0; 1 is the posterior's.
    prior
        Precision of each weight before anything is observed, > 0. It is not forgotten.
    diagonal
        Whether to take the weights as independent.
    forgetting
        Factor on what is known, per block observed, in (0, 1]; 1 forgets nothing.
    """

    def __init__(
        self, *, scale: float = 1.0, prior: float = 1.0, diagonal: bool = False, forgetting: float = 1.0
    ) -> None:
        expect_scale(scale)
        expect_prior(prior)
        if not 0.0 < forgetting <= 1.0:
            raise InvalidInputError(f"forgetting: expected a factor in (0, 1], 1 to forget nothing, got {forgetting}")
        self.scale = scale
        self.prior = prior
        self.diagonal = diagonal
        self.forgetting = forgetting

    def begin(self, network: nn.Module, layout: FieldLayout, make: MakeNetwork, *, generator: torch.Generator) -> None:
        """Take hold of the network, about which nothing is known yet.

        Raises
        ------
        InvalidInputError
            If its last linear layer gives anything but a number that is added to the log-odds.
        """
        super().begin(network, layout, make, generator=generator)
        _expect_log_odds_at_the_end(network, layout)
        self._hidden = LastHidden(network, layout)
        n_weights = self._hidden.width + 1
        self._know(torch.zeros(n_weights, n_weights, dtype=torch.float64))

    def observe(self, rows: TrainRows, *, generator: torch.Generator) -> None:
        """Add what a block tells about the weights."""
        information = self.forgetting * self._information
        for features, weight in zip(torch.split(rows.features, _CHUNK), torch.split(rows.weight, _CHUNK), strict=True):
            information = information + self._information_of(features, weight)
        self._know(information)

    def spread(self, look: Look) -> Tensor:
        """Standard deviation of the log-odds, (n, m)."""
        hidden = _with_one(self._hidden.of_embedding(look.embedding)[0])
        lengths: Tensor = torch.linalg.vector_norm(hidden @ self._root.T, dim=-1)
        return self.scale * lengths

    def deviation(self, look: Look, *, generator: torch.Generator) -> Tensor:
        """What one draw of the weights per request does to the log-odds, (n, m)."""
        hidden = _with_one(self._hidden.of_embedding(look.embedding)[0])
        shape = (look.n_requests, len(self._root), 1)
        normal = torch.randn(shape, generator=generator, device=hidden.device)
        return self.scale * (hidden @ (self._root.T @ normal)).squeeze(-1)

    def state(self) -> dict[str, Tensor]:
        """The information gathered, A - prior I."""
        return {"information": self._information}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take over what `state` gave."""
        expect_like(state, self.state())
        self._know(state["information"].to(self._information))

    def _know(self, information: Tensor) -> None:
        """Hold what is known, float64 on the CPU, and a root R of A^-1 = R'R beside the network, made once a block."""
        self._information = information
        if self.diagonal:
            root = information.diagonal().add(self.prior).rsqrt().diag()
        else:  # by eigenvectors, since Cholesky fails where rounding leaves an eigenvalue below 0
            values, vectors = torch.linalg.eigh(information)
            root = (vectors * values.clamp(min=0.0).add(self.prior).rsqrt()).T
        self._root = root.to(next(self.network.parameters()))

    def _information_of(self, features: Tensor, weight: Tensor) -> Tensor:
        hidden, log_odds = self._hidden.of_features(features)
        information = weight * log_odds.sigmoid() * (-log_odds).sigmoid()
        h = (information.sqrt().unsqueeze(-1) * _with_one(hidden)).to(self._information)
        return h.T @ h  # in float32, sums over many rows would lose the prior


def _with_one(hidden: Tensor) -> Tensor:
    return pad(hidden, (0, 1), value=1.0)


def _expect_log_odds_at_the_end(network: nn.Module, layout: FieldLayout) -> None:
    some = next(network.parameters())
    with torch.no_grad():
        embedding = expect_split(network).embed(torch.zeros(len(_TRIAL), layout.n_columns, device=some.device))
    noise = torch.randn(embedding.shape, generator=torch.Generator().manual_seed(0)).to(embedding)
    layers = layer_pass(network, embedding + torch.tensor(_TRIAL).to(embedding).unsqueeze(-1) * noise).layers
    if not layers or layers[-1].delta.tolist() != [[1.0]] * len(_TRIAL):
        last = layers[-1].layer if layers else "none"
        raise InvalidInputError(
            "network: expected the last nn.Linear of from_embedding to give one number, which is added to the "
            f"log-odds as it is, got {last}; end with nn.Linear(..., 1) and no sigmoid"
        )
