"""Links of a page that lead out of ``docs/``: on a code host they open the file, on the site they name it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

_LINK: Final = re.compile(r"\[([^\]]+)\]\((\.\.?/[^)#\s]+)(?:#[^)\s]*)?\)")


def _name_files(app: Sphinx, docname: str, source: list[str]) -> None:
    page, root = Path(app.env.doc2path(docname)), Path(app.srcdir)

    def named(link: re.Match[str]) -> str:
        text, target = link.groups()
        path = (page.parent / target).resolve()
        if path.is_relative_to(root):
            return link.group()
        if not path.exists():
            raise ExtensionError(f"{docname}: {target} does not exist")
        name = f"`{path.relative_to(root.parent)}`"
        return name if text.strip("`") in name else f"{text} ({name})"

    source[0] = _LINK.sub(named, source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Rewrite pages as they are read."""
    app.connect("source-read", _name_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
