"""Adversarial gradients: an item is worth what its prediction could become, were it explored (Wu et al. 2022)."""

from __future__ import annotations

from sojourn.exploration.adversarial.explorer import AdversarialGradient

__all__ = ["AdversarialGradient"]
