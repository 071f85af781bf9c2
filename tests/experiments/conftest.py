"""Experiments are no part of the package: they are found from the root of the repository, as `python -m` finds them."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
