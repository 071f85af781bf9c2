"""Docstrings and signatures as they are written: numpydoc sections, and annotations in the source's own short names."""

from __future__ import annotations

import inspect
import re
import sys
from typing import Any, Final

from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config
from sphinx.ext.napoleon.docstring import NumpyDocstring
from sphinx.util.inspect import stringify_signature

_STYLE: Any = Config(  # what stands in a type's place is a shape
    napoleon_use_param=False, napoleon_use_rtype=False, napoleon_use_ivar=True, napoleon_attr_annotations=False
)


class _Made:
    """A default that is made anew for each object."""

    def __repr__(self) -> str:
        return "..."


_MADE: Final = _Made()


def _sections(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    kind: Any = "method" if what in ("attribute", "property", "data") else what  # else "IPV: ..." is a type and a text
    lines[:] = str(NumpyDocstring(lines, _STYLE, app, kind, name, value, options)).splitlines()


def _as_written(
    app: Sphinx, what: str, name: str, value: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str, str | None] | None:
    if what not in ("class", "function", "method") or signature is None:
        return None
    if getattr(value, "_is_protocol", False):
        return "", None
    try:
        written = inspect.signature(value)
    except (TypeError, ValueError):
        return None
    names = vars(sys.modules[value.__module__])
    parameters = [
        each.replace(
            annotation=_placed(each.annotation, names),
            default=_MADE if repr(each.default) == "<factory>" else each.default,
        )
        for each in written.parameters.values()
    ]
    if what == "method" and parameters and parameters[0].name in ("self", "cls"):
        del parameters[0]
    written = written.replace(parameters=parameters, return_annotation=_placed(written.return_annotation, names))
    text, arrow, answer = stringify_signature(written).rpartition(" -> ")
    return (text, answer) if arrow and what != "class" else (text or answer, None)


def _placed(annotation: Any, names: dict[str, Any]) -> Any:
    """Classes of ours with the module that they are from, which the page does not show: two may share a name."""

    def placed(name: re.Match[str]) -> str:
        value = names.get(name.group())
        if inspect.isclass(value) and value.__module__.startswith("sojourn."):
            return f"~{value.__module__}.{value.__name__}"
        return name.group()

    return re.sub(r"(?<![\w.])[A-Za-z_]\w*", placed, annotation) if isinstance(annotation, str) else annotation


def _is_foreign(app: Sphinx, what: str, name: str, value: Any, skip: bool, options: Any) -> bool | None:
    return True if str(getattr(value, "__module__", "")).startswith("sklearn.") else None  # put into ours by a base


def setup(app: Sphinx) -> dict[str, bool]:
    """Listen to autodoc."""
    app.connect("autodoc-skip-member", _is_foreign)
    app.connect("autodoc-process-docstring", _sections)
    app.connect("autodoc-process-signature", _as_written)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
