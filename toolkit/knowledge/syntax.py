"""From the text of a condition to Python's syntax tree: only plain, visible text gets that far.

Python's parser is generous: it takes look-alike letters for the letters they resemble (``ｅｖａｌ`` is
``eval``), drops what follows a ``#``, joins two texts that stand side by side, and shows nothing of
characters that turn the direction of writing. Here each of these is a mistake with a place.
"""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterable
from typing import NamedTuple

from toolkit.errors import KnowledgeError, shorten
from toolkit.knowledge.advice import advice

__all__ = ["MAX_LENGTH", "Syntax", "Where", "is_name", "outside", "problem_at", "read_syntax"]

MAX_LENGTH = 2_000
"""Characters of one condition."""

Where = str | Callable[[int], str] | None
"""``file:line`` for messages, or a function from a position in the condition to its place in a file."""

_SHOWN = 160
"""Characters of a condition that a message quotes."""

_QUOTED = re.compile(r"""\"(?:\\.|[^"\\])*\"|'(?:\\.|[^'\\])*'|`([^`]*)`""")
"""A text in quotes, or a column's name in backquotes."""

_BREAK = re.compile(r"[\r\n\t]")
"""A line break or tab, which is a space."""

_TWO_TEXTS = re.compile("\x01\x02+ *[A-Za-z]{0,2}(\x01)")
"""Two texts side by side, where each text is one \\x01 and then \\x02, which no condition holds."""


class Syntax(NamedTuple):
    """A condition that Python's parser has read.

    Parameters
    ----------
    text : str
        As written.
    plain : str
        With a plain name of the same length for each name in backquotes.
    quoted : dict of str to str
        Plain name -> the name that stands in backquotes.
    tree : expr
        Positions in it count from the first character of `plain` that is not a space.
    """

    text: str
    plain: str
    quoted: dict[str, str]
    tree: ast.expr


def is_name(text: str) -> bool:
    """Tell whether a condition can name `text`: letters, digits and underscores, no keyword."""
    return text.isidentifier() and not keyword.iskeyword(text) and unicodedata.normalize("NFKC", text) == text


def problem_at(problem: str, text: str, offset: int | None, where: Where, hint: str = "") -> KnowledgeError:
    """Return an error that points at a character of `text`; None for the whole text."""
    lead = len(text) - len(text.lstrip())
    start = max(0, min((offset or 0) - _SHOWN // 2, len(text) - _SHOWN))
    shown = " ".join(text[start : start + _SHOWN].split())
    shown = f"{'…' if start > lead else ''}{shown}{'…' if start + _SHOWN < len(text.rstrip()) else ''}"
    if callable(where):
        return KnowledgeError(f"{problem} in: {shown}{hint}", where=where(offset or 0))
    if offset is None:
        return KnowledgeError(f"{problem} in: {shown}{hint}", where=where)
    return KnowledgeError(
        f"{problem} at character {max(offset - lead, 0) + 1} of: {shown}{hint}", where=where
    )


def outside(text: str) -> str:
    """Return as many characters, with marks in the place of what stands in quotes and backquotes."""
    return _QUOTED.sub(lambda match: "\x01".ljust(len(match[0]), "\x02"), text)


def read_syntax(text: str, where: Where, columns: Iterable[str] = ()) -> Syntax:
    """Return the syntax tree of a condition; its nodes are still to be checked.

    `columns` are the names that the advice of a message may suggest to put in backquotes.

    Raises
    ------
    KnowledgeError
        The text is empty, too long, no expression, or not what it looks like.
    """
    start = where(0) if callable(where) else where
    if not text.strip():
        raise KnowledgeError("the condition is empty", where=start)
    if len(text) > MAX_LENGTH:
        raise KnowledgeError(
            f"the condition has {len(text):,} characters, at most {MAX_LENGTH:,}; name its parts under terms",
            where=start,
        )
    _check_characters(text, where)
    plain, quoted = _plain(text, where)
    _check_texts(text, plain, where)
    lead = len(plain) - len(plain.lstrip())
    try:
        with warnings.catch_warnings():
            # Python only warns of odd spellings such as `1or x` and "\d"; here they are mistakes.
            warnings.simplefilter("error")
            tree = ast.parse(plain.strip(), mode="eval").body
    except SyntaxError as error:
        offset = None if not error.offset else min(lead + error.offset - 1, len(text))
        reason = shorten(error.msg.replace("<fstring>", "text"), 100)
        hint = advice(outside(text), columns)
        problem = "cannot read the condition" if hint else f"cannot read the condition ({reason})"
        raise problem_at(problem, text, offset, where, hint) from None
    except (ValueError, MemoryError, RecursionError):
        raise KnowledgeError("cannot read the condition: too deep, or not text", where=start) from None
    _check_names(tree, text, plain, where)
    return Syntax(text, plain, quoted, tree)


def _check_characters(text: str, where: Where) -> None:
    if text.isprintable():
        return
    for offset, character in enumerate(text):
        if not character.isprintable() and character not in "\n\r\t":
            name = unicodedata.name(character, "no name").lower()
            raise problem_at(
                f"the invisible character U+{ord(character):04X} ({name})",
                text,
                offset,
                where,
                "; remove it, or write it as an escape such as \\u200b in a text in quotes",
            )


def _check_texts(text: str, plain: str, where: Where) -> None:
    """Refuse comments, which hide what follows, and texts without a comma between them."""
    shown = outside(plain)
    if "#" in shown:
        raise problem_at(
            "a comment (#) is not allowed",
            text,
            shown.index("#"),
            where,
            "; write comments outside the condition",
        )
    two = _TWO_TEXTS.search(shown)
    if two is not None:
        raise problem_at(
            "two texts side by side", text, two.start(1), where, "; write a comma between them, or one text"
        )


def _check_names(tree: ast.expr, text: str, plain: str, where: Where) -> None:
    """Refuse names that Python reads as other names, e.g. with fullwidth letters or ligatures."""
    if plain.isascii():
        return
    lead = len(plain) - len(plain.lstrip())
    raw = plain.strip().encode()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.end_col_offset is not None:
            written = raw[node.col_offset : node.end_col_offset].decode()
            if written != node.id:
                offset = lead + len(raw[: node.col_offset].decode())
                problem = f"the name '{shorten(written)}' is written with look-alike letters"
                raise problem_at(problem, text, offset, where, f"; write '{shorten(node.id)}' if you mean it")


def _plain(text: str, where: Where) -> tuple[str, dict[str, str]]:
    """Return the text with plain names for those in backquotes, as long as those, and what they stand for."""
    quoted: dict[str, str] = {}
    number = 0

    def replaced(match: re.Match[str]) -> str:
        nonlocal number
        name = match[1]
        if name is None:
            return match[0]
        name = _BREAK.sub(" ", name)
        if not name.strip():
            raise problem_at("there is no name between the backquotes", text, match.start(), where)
        plain = ""
        while not plain or plain in text:
            plain, number = str(number).rjust(len(match[0]), "_"), number + 1
        if not plain.isidentifier():
            raise problem_at("too many names in backquotes", text, match.start(), where)
        quoted[plain] = name
        return plain

    # every character keeps its position
    return _BREAK.sub(" ", _QUOTED.sub(replaced, text)), quoted
