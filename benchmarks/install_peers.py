"""``python -m benchmarks.install_peers``: the peers' environment, `.venv-peers`, from nothing."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE.parent / ".venv-peers"


def install(*what: str) -> None:
    """Install with the versions that the figures were measured with."""
    python, constraints = ENVIRONMENT / "bin" / "python", HERE / "peers-constraints.txt"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", str(constraints)]
    subprocess.run([*pip, *what], check=True)


def main() -> None:
    """Torch first, so that no other requirement chooses its version."""
    venv.create(ENVIRONMENT, with_pip=True, clear=True)
    install("torch")
    install("-r", str(HERE / "peers.txt"))
    install("--no-deps", "sb-obp")  # asks for older NumPy and pandas than it needs


if __name__ == "__main__":
    main()
