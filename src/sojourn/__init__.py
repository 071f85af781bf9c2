"""Sojourn decides what a feed shows next, and learns from what people really saw."""

from __future__ import annotations

__version__ = "0.1.0"
