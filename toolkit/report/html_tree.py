"""A fragment of HTML as a tree, for what is made of it beside the page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

__all__ = ["Node", "one_line", "parsed"]

_VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "path", "wbr"})
# As a browser does it: spaces that must not break (U+00A0, U+202F) stay. Other ends of lines go too.
_SPACES = re.compile(r"[ \t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")


@dataclass
class Node:
    """An element: its tag, its attributes (one without a value has an empty one) and what it holds."""

    tag: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)

    def get(self, attribute: str) -> str:
        """Return the value of an attribute, empty where there is none."""
        return self.attributes.get(attribute, "")

    def has_class(self, name: str) -> bool:
        """Tell whether the element has a class."""
        return name in self.get("class").split()

    def find(self, *tags: str) -> Iterator[Node]:
        """Yield the elements below this one that have one of the tags, in the order of the text."""
        for child in self.children:
            if isinstance(child, Node):
                if child.tag in tags:
                    yield child
                yield from child.find(*tags)

    def first(self, *classes: str) -> Node | None:
        """Return the first element below this one that has one of the classes."""
        for child in self.children:
            if isinstance(child, Node):
                if any(child.has_class(name) for name in classes):
                    return child
                found = child.first(*classes)
                if found is not None:
                    return found
        return None

    def text(self) -> str:
        """Return all text as it stands, spaces included."""
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Node("")]

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in _VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        depth = next((at for at in range(len(self.open) - 1, 0, -1) if self.open[at].tag == tag), None)
        if depth is not None:
            del self.open[depth:]

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parsed(html: str) -> Node:
    """Return a fragment of HTML as one node without a tag; comments are left out."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    return builder.open[0]


def one_line(text: str) -> str:
    """Return text with every run of spaces and line breaks as one space, and without control characters."""
    return _SPACES.sub(" ", _CONTROLS.sub("", text))
