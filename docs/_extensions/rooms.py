"""``.. room:: sojourn.models``: a room's docstring, a table of its public names, and each of them."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective


class Room(SphinxDirective):
    """What a package makes public; names that its parent package has too are documented there."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Hand what is to be documented to autodoc."""
        module = import_module(self.arguments[0])
        return self.parse_text_to_nodes("\n".join(_page(module)))


def _page(module: ModuleType) -> list[str]:
    names = public_names(module)
    lines = [f".. automodule:: {module.__name__}", "   :no-members:", ""]
    described = [name for name in names if _has_docstring(getattr(module, name))]
    if described:
        lines += [".. list-table::", "   :widths: auto", "   :class: names", ""]
    for name in described:
        lines += [f"   * - `~{module.__name__}.{name}`", f"     - {_summary(getattr(module, name))}"]
    lines += [""]
    for name in names:
        lines += [*_entry(module, name), ""]
    return lines


def public_names(module: ModuleType) -> list[str]:
    """What is in ``__all__``, or is documented where there is none; less what the package around it has too."""
    names = getattr(module, "__all__", None) or _documented_names(module)
    around = import_module(module.__name__.rpartition(".")[0])
    if around.__name__ == "sojourn":
        return list(names)
    return [name for name in names if getattr(around, name, None) is not getattr(module, name)]


def _documented_names(module: ModuleType) -> list[str]:
    if hasattr(module, "__path__"):
        return []
    own = {name for name, each in vars(module).items() if getattr(each, "__module__", None) == module.__name__}
    analyzer = ModuleAnalyzer.for_module(module.__name__)
    data = {name for scope, name in analyzer.find_attr_docs() if not scope}
    public = [name for name in own | data if not name.startswith("_")]
    order = analyzer.tagorder
    return sorted(public, key=lambda name: order[name])


def _has_docstring(value: Any) -> bool:
    return inspect.isclass(value) or inspect.isfunction(value)


def _summary(value: Any) -> str:
    """The first paragraph of the docstring, on one line."""
    return " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())


def _entry(module: ModuleType, name: str) -> list[str]:
    value = getattr(module, name)
    full = f"{module.__name__}.{name}"
    if inspect.isclass(value):
        kind = "autoexception" if issubclass(value, BaseException) else "autoclass"
        return [f".. {kind}:: {full}", "   :members:"]
    if inspect.isfunction(value):
        return [f".. autofunction:: {full}"]
    if inspect.ismodule(value):
        return []
    return [f".. py:data:: {full}", "", *(f"   {line}" for line in _docs_of_data(module, name))]


def _docs_of_data(module: ModuleType, name: str) -> list[str]:
    """The text below a constant or an alias, wherever in the package it is defined."""
    within = [module.__name__]
    if hasattr(module, "__path__"):
        within += [each.name for each in pkgutil.walk_packages(module.__path__, f"{module.__name__}.")]
    for place in within:
        docs = ModuleAnalyzer.for_module(place).find_attr_docs()
        if ("", name) in docs:
            return docs["", name]
    return []


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("room", Room)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
