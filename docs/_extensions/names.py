"""Names in docstrings: `BayesianRidge` finds its page from any room, and what does not exist is a mistake."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform

_FOREIGN: Final = frozenset({"numpy", "np", "polars", "torch", "gymnasium", "AutoresetMode"})
_NAME: Final = re.compile(r"[A-Za-z_.]*([A-Z]\w+|\w+_\w+)")  # a class, or two words: not `click`
_ROOT: Final = Path(__file__).parents[2]


def _resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.TextElement) -> nodes.Node | None:
    """Find a name that has a page; one that only the code knows stays text, and so do annotations: mypy checks them."""
    if node.get("refdomain") != "py":
        return None
    target: str = node["reftarget"]
    found = _documented(env.domains.python_domain.objects, target)
    if len(found) == 1:
        ((docname, node_id),) = found
        uri = app.builder.get_relative_uri(node["refdoc"], docname)
        return nodes.reference("", "", text, refuri=f"{uri}#{node_id}", internal=True, reftitle=node_id)
    return text if found or node["reftype"] == "class" or _exists(target) else None


def _documented(objects: dict[str, Any], target: str) -> set[tuple[str, str]]:
    """Page and anchor of what goes by a name without its package, or by the module that defines it."""
    place, _, last = target.rpartition(".")
    if place.startswith("sojourn."):
        packages = [place.rsplit(".", up)[0] for up in range(place.count(".") + 1)]
        found = [objects[f"{package}.{last}"] for package in packages if f"{package}.{last}" in objects][:1]
    else:
        found = [entry for name, entry in objects.items() if f".{name}".endswith(f".{target}")]
    return {(entry.docname, entry.node_id) for entry in found}


def _exists(target: str) -> bool:
    """Whether the code defines it, it is a path of the repository, or another library's."""
    first, _, last = target.partition(".")[0], *target.rpartition(".")[1:]
    return first in _FOREIGN or last in _code() or (_ROOT / target).exists()


@cache
def _code() -> frozenset[str]:
    """Names of all modules, classes, functions and variables of the package, public or not."""
    defined = re.compile(r"^\s*(?:class |def )?(\w+)\s*(?:[:=(\[]|$)", re.MULTILINE)
    files = list((_ROOT / "src" / "sojourn").rglob("*.py"))
    names = {name for path in files for name in defined.findall(path.read_text())}
    return frozenset(names | {path.stem for path in files} | {path.parent.name for path in files})


class LinkNames(SphinxPostTransform):
    """Code in a page that is the name of a public class or function leads to its entry."""

    default_priority = 5  # before references are resolved

    def run(self, **kwargs: Any) -> None:
        """Wrap them."""
        objects = self.env.domains.python_domain.objects
        for literal in list(self.document.findall(nodes.literal)):
            name = literal.astext()
            plain = not literal["classes"] or literal["classes"] == ["code"]
            inside = isinstance(literal.parent, nodes.reference | nodes.title | pending_xref)
            if not inside and plain and _NAME.fullmatch(name) and _is_public(objects, name):
                ((docname, node_id),) = _documented(objects, name)
                uri = self.app.builder.get_relative_uri(self.env.docname, docname)
                link = nodes.reference("", "", literal.deepcopy(), refuri=f"{uri}#{node_id}", internal=True)
                literal.replace_self(link)


def _is_public(objects: dict[str, Any], name: str) -> bool:
    found = {entry.objtype for full, entry in objects.items() if full == name or full.endswith(f".{name}")}
    public = {"class", "function", "exception"} | ({"method", "property"} if "." in name else set())
    return found <= public and len(_documented(objects, name)) == 1


def setup(app: Sphinx) -> dict[str, bool]:
    """Look for names that Sphinx has not found."""
    app.connect("missing-reference", _resolve)
    app.add_post_transform(LinkNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
