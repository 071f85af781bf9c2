"""The sparse Gaussian process itself; GPyTorch is imported with this module."""

from __future__ import annotations

import gpytorch
import torch
from torch import Tensor, nn


class SparseGP(gpytorch.models.ApproximateGP):  # type: ignore[misc]  # it ships no types
    """A Gaussian process on a learned projection of hidden units, known through inducing points Z.

    It stays in training mode, in which GPyTorch keeps nothing from call to call.

    Parameters
    ----------
    projection : (l, u) tensor
        Initial projection of u hidden units to l.
    n_inducing
    """

    def __init__(self, projection: Tensor, n_inducing: int) -> None:
        width = len(projection)
        places = torch.zeros(n_inducing, width)
        posterior = gpytorch.variational.MeanFieldVariationalDistribution(n_inducing)
        strategy = gpytorch.variational.VariationalStrategy(self, places, posterior, learn_inducing_locations=True)
        super().__init__(strategy)
        strategy.variational_params_initialized.fill_(1)  # at the prior already; GPyTorch's own start draws noise
        self.projection = nn.Parameter(projection)
        self.mean_module = gpytorch.means.ConstantMean()
        self.covar_module = gpytorch.kernels.ScaleKernel(gpytorch.kernels.RBFKernel())

    @property
    def inducing(self) -> Tensor:
        """Inducing points Z, (M, l)."""
        points: Tensor = self.variational_strategy.inducing_points
        return points

    def forward(self, places: Tensor) -> gpytorch.distributions.MultivariateNormal:
        """The prior at places (r, l)."""
        return gpytorch.distributions.MultivariateNormal(self.mean_module(places), self.covar_module(places))

    def project(self, hidden: Tensor) -> Tensor:
        """Places (r, l) of hidden units (r, u)."""
        return hidden @ self.projection.T

    def mean_and_variance(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Posterior mean and variance at places (r, l), both (r,)."""
        posterior = self(places)
        variance = posterior.lazy_covariance_matrix.diagonal(dim1=-1, dim2=-2)
        return posterior.mean, variance.clamp_min(0.0)  # rounding may leave it below 0

    def divergence(self) -> Tensor:
        """KL(q(u) || p(u))."""
        divergence: Tensor = self.variational_strategy.kl_divergence()
        return divergence

    @torch.no_grad()
    def place(self, inducing: Tensor, mean: Tensor) -> None:
        """Move the inducing points there, and set the scales of length and mean by them and by ``mean``."""
        self.inducing.copy_(inducing)
        distance = torch.pdist(inducing).median() if len(inducing) > 1 else torch.zeros(())
        self.covar_module.base_kernel.lengthscale = distance if distance > 0.0 else torch.ones_like(distance)
        self.mean_module.constant.copy_(mean)
