"""Files written to do harm: each is refused in a sentence, at once, and nothing runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import load

BASE = """\
knowledge_base: demo
predicts: buys_next_week
prior: 5 %
columns:
  n: {type: whole number, min: 0, max: 182}
  file: {type: number, missing: 90}
  live: {type: yes/no}
  goods: {type: choice}
sets:
  dry: [beer]
terms:
  regular: n >= 4
rules:
  - id: due
    when: regular and file >= 0.8
    then: buys
    certainty: likely
    because: The cupboard is empty.
    tests: [{given: {n: 5, file: 1}, fires: yes}]
"""
COMMAND = "touch canary"


def changed(old: str, new: str) -> bytes:
    assert old in BASE
    return BASE.replace(old, new, 1).encode("utf-8", "surrogatepass")


def more(text: str) -> bytes:
    return (BASE + text).encode()


def described(text: str) -> bytes:
    return more(f"description: {text}\n")


LAUGHS = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
)
TAGS = {
    "apply": f"!!python/object/apply:os.system ['{COMMAND}']",
    "apply, verbatim": f"!<tag:yaml.org,2002:python/object/apply:os.system> ['{COMMAND}']",
    "new": "!!python/object/new:subprocess.Popen [['touch', 'canary']]",
    "object": "!!python/object:builtins.eval {}",
    "name": "!!python/name:os.system",
    "module": "!!python/module:os",
    "tuple": "!!python/tuple [1, 2]",
    "bytes": "!!python/bytes aGk=",
    "long": "!!python/long 1",
    "binary": "!!binary aGk=",
    "set": "!!set {a, b}",
    "ordered mapping": "!!omap [a: 1]",
    "timestamp": "!!timestamp 2020-99-99",
    "whole number": "!!int 1:1:1:1",
    "number": "!!float 1e5",
    "text": "!!str 5",
    "own": "!own 5",
    "empty": "! 5",
}
YAML = {
    **{f"tag {name}": described(text) for name, text in TAGS.items()},
    "tag directive": b"%TAG ! tag:yaml.org,2002:python/object/apply:\n---\nd: !os.system [ls]\n"
    + BASE.encode(),
    "tag on a key": more("!!python/name:os.system key: 1\n"),
    "tag on all": b"!!python/object/apply:os.system\n" + BASE.encode(),
    "anchor": described("&a text"),
    "alias": more("description: &a text\nowner: *a\n"),
    "alias to itself": more("description: &a [*a]\n"),
    "alias without anchor": described("*a"),
    "billion laughs": more(LAUGHS),
    "merge of an alias": changed("  live: {type: yes/no}", "  live: &c {type: yes/no}\n  x: {<<: *c}"),
    "merge": changed("{type: yes/no}", "{<<: {type: yes/no}}"),
    "equals": changed("type: yes/no", "=: yes/no"),
    "double key": more("prior: 6 %\n"),
    "double key in quotes": more('"prior": 6 %\n'),
    "double column": changed("  live:", "  n: {type: number}\n  live:"),
    "list as a key": more("? [a, b]\n: 1\n"),
    "mapping as a key": more("{a: b}: 1\n"),
    "no mapping": b"- a\n",
    "a text": b"hello",
    "nothing": b"",
    "null": b"~",
    "two documents": more("---\nknowledge_base: other\n"),
    "many documents": b"---\n" * 200_000,
    "tab": more("\tdescription: x\n"),
    "unclosed list": described("[a, b"),
    "unclosed quote": described('"a'),
    "only quotes": b'"' * 5000,
    "only colons": b": " * 5000,
    "only tildes": b"~\n" * 5000,
    "only percents": b"%\n" * 5000,
    "reserved mark": described("@a"),
    "backquote": described("`ls`"),
}
DEPTH = {
    "lists": described("[" * 100_000),
    "closed lists": described("[" * 5000 + "]" * 5000),
    "mappings": described("{" * 100_000),
    "keys": described("{a: " * 5000),
    "dashes": described("\n" + "- " * 100_000),
    "questions": b"? " * 100_000,
    "indents": "".join(f"{' ' * level}a:\n" for level in range(1000)).encode(),
    "lists and mappings": described("[{a: " * 5000),
    "given": changed("{n: 5, file: 1}", "{n: " + "[" * 500 + "]" * 500 + "}"),
}
SIZE = {
    "too large": b"# " + b"x" * 1_000_000,
    "text": described("x" * 900_000),
    "text in quotes": described('"' + "\\x41" * 200_000 + '"'),
    "text of many lines": described("|\n" + "  a\n" * 200_000),
    "text folded": described("a\n" + "  a\n" * 200_000),
    "key": more("k" * 900_000 + ": 1\n"),
    "key of the condition": changed("regular and", "k" * 1500 + " and"),
    "unknown key like another": more("knowledge_bas" * 1000 + ": 1\n"),
    "long condition": changed("regular and", "n > 1 and " * 20_000),
    "whole number": changed("max: 182", "max: " + "9" * 10_000),
    "whole number to base 2": changed("max: 182", "max: 0b" + "1" * 10_000),
    "whole number to base 16": changed("max: 182", "max: 0x" + "f" * 10_000),
    "whole number to base 60": changed("max: 182", "max: 1" + ":59" * 5_000),
    "number to base 60": changed("max: 182", "max: 1" + ":59" * 5_000 + ".5"),
    "whole number in a test": changed("n: 5,", "n: " + "9" * 400 + ","),
    "whole number in a set": changed("[beer]", "[" + "9" * 400 + "]").replace(b"n >= 4", b"n in dry"),
    "level": changed("file: 1}", "goods: " + "m" * 19_000 + "}").replace(
        b"{type: choice}", b"{type: choice, values: [a]}"
    ),
}
NUMBERS = {
    "nan as a limit": changed("max: 182", "max: .nan"),
    "infinity as a limit": changed("max: 182", "max: .inf"),
    "huge exponent as a limit": changed("max: 182", "max: 1e999999"),
    "nan for missing": changed("missing: 90", "missing: .nan"),
    "infinity in a test": changed("n: 5", "n: .inf"),
    "huge exponent in a test": changed("n: 5", "n: 1e999999"),
    "nan in a set": changed("[beer]", "[.nan]"),
    "infinity in a set": changed("[beer]", "[-.inf]"),
    "nan as a certainty": changed("likely", ".nan"),
    "huge exponent as a certainty": changed("likely", "1e999999"),
    "tiny certainty": changed("likely", "1e-999999"),
    "truth as a certainty": changed("likely", "true"),
    "number as a prior": changed("5 %", "0.05"),
    "nan as a prior": changed("5 %", "nan %"),
    "infinity as a prior": changed("5 %", "infinity %"),
    "tiny prior": changed("5 %", "1e-400 %"),
    "prior with an underscore": changed("5 %", "1_5 %"),
    "prior in another script": changed("5 %", "\u0663 %"),
    "prior with fullwidth digits": changed("5 %", "\uff15 %"),
    "code as a prior": changed("5 %", f"__import__('os').system('{COMMAND}') %"),
    "hours below zero": more("authoring: {hours: -1}\n"),
    "infinite hours": more("authoring: {hours: .inf}\n"),
    "a date as a prior": changed("5 %", "2020-01-01"),
}
TYPES = {
    "null for columns": changed("columns:\n", "columns:\nx:\n"),
    "list for columns": changed("sets:\n  dry: [beer]\n", "sets: [dry]\n"),
    "mapping for rules": changed("  - id: due\n    when", "  due:\n    when"),
    "text for rules": b"knowledge_base: k\npredicts: y\nprior: 5 %\ncolumns: {n: {}}\nrules: all\n",
    "number for a condition": changed("regular and file >= 0.8", "5"),
    "list for a condition": changed("regular and file >= 0.8", "[n, 1]"),
    "truth for a condition": changed("regular and file >= 0.8", "true"),
    "mapping for a condition": changed("regular and file >= 0.8", "{n: 1}"),
    "number for an id": changed("id: due", "id: 5"),
    "null for a reason": changed("The cupboard is empty.", "~"),
    "number for a reason": changed("The cupboard is empty.", "5"),
    "list in a test": changed("n: 5,", "n: [5],"),
    "no columns": b"knowledge_base: k\npredicts: y\nprior: 5 %\ncolumns: {}\nrules: []\n",
    "dunder key": more("__class__: 5\n"),
    "key of the model": more("model_config: {extra: allow}\n"),
    "private key": more("_source: 5\n"),
    "many unknown keys": more("".join(f"k{number}: 1\n" for number in range(1000))),
    "many wrong rules": more("never: [" + "{id: a}, " * 1000 + "]\n"),
}
NAMES = {
    "column with a backquote": changed("  live:", "  'a`b': {}\n  live:"),
    "column with a line break": changed("  live:", '  "a\\nb": {}\n  live:'),
    "empty column": changed("  live:", "  '': {}\n  live:"),
    "term that is a keyword": changed("  regular:", "  lambda: n > 1\n  regular:"),
    "term that is a constant": changed("  regular:", "  None: n > 1\n  regular:"),
    "term with code": changed("  regular:", f"  __import__('os').system('{COMMAND}'): n > 1\n  regular:"),
    "fullwidth term": changed("  regular:", "  \uff4e: n > 1\n  regular:"),
    "ligature term": changed("  regular:", "  \ufb01le: n > 1\n  regular:"),
    "ligature in a condition": changed("regular and file", "regular and \ufb01le"),
    "set like a column": changed("  dry:", "  n:"),
    "term in a circle": changed("n >= 4", "regular"),
    "call in a term": changed("n >= 4", f"__import__('os').system('{COMMAND}')"),
    "call in a rule": changed("file >= 0.8", "open('canary', 'w')"),
    "comment in a condition": changed(
        "when: regular and file >= 0.8", "when: |\n      regular # and\n      and live"
    ),
}
LETTERS = {
    "invalid UTF-8": described("x").replace(b"x", b"\xff\xfe\xfd"),
    "latin 1": described("caf\u00e9").replace("\u00e9".encode(), b"\xe9"),
    "overlong": described("x").replace(b"x", b"\xc0\xaf"),
    "surrogate": described("x").replace(b"x", b"\xed\xa0\x80"),
    "UTF-16": BASE.encode("utf-16"),
    "UTF-16, big end first": BASE.encode("utf-16-be"),
    "UTF-32": BASE.encode("utf-32"),
    "null": described("a\0b"),
    "escape": described("\x1b[2J"),
    "bell": described("\x07"),
    "delete": described("\x7f"),
    "next line": more("# a comment\u0085owner: x\n"),
    "line separator in a comment": more("# a comment\u2028owner: x\n"),
    "paragraph separator": more("# a comment\u2029owner: x\n"),
    "carriage return in a comment": more("# a comment\rowner: x\n"),
    "right-to-left override": more("# \u202e comment\n"),
    "isolate": described("a \u2066 b \u2069"),
    "half a character": described('"\\ud800"'),
    "escape written out": described('"\\e[2J"'),
    "null written out": described('"a\\0b"'),
    "override written out": described('"\\u202e"'),
    "private end": described("\ufffe"),
    "zero-width space in a condition": changed("regular and", "regular\u200b and"),
}
ALL = {
    f"{kind}: {name}": content
    for kind, inputs in {
        "yaml": YAML,
        "depth": DEPTH,
        "size": SIZE,
        "number": NUMBERS,
        "type": TYPES,
        "name": NAMES,
        "letters": LETTERS,
    }.items()
    for name, content in inputs.items()
}


@pytest.mark.parametrize("name", ALL)
def test_hostile_files_are_refused_at_once_and_nothing_runs(name: str, canary: Any, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_bytes(ALL[name])
    seconds, error = canary.seconds_to_refuse(lambda: load(file))
    assert type(error) is KnowledgeError
    canary.check_sentence(str(error), str(file), limit=3000 if "many" in name else 600)
    assert seconds < canary.MAX_SECONDS


LARGE = {
    "entries without end": (described("[" + "a," * 400_000 + "]"), "more than 100,000 entries"),
    "keys without end": (
        more("".join(f"k{number}: 1\n" for number in range(80_000))),
        "more than 100,000 entries",
    ),
    "terms of terms in every rule": (
        changed("n >= 4", "n in many").replace(b"[beer]", b"[beer]\n  many: " + repr([*range(1900)]).encode())
        + b"".join(
            b"  - {id: r%d, when: regular and file > %d, then: buys, certainty: likely, because: So.}\n"
            % (n, n)
            for n in range(200)
        ),
        "all conditions together have more than 200,000 comparisons",
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_the_largest_files_end_in_bounded_time(name: str, canary: Any, tmp_path: Path) -> None:
    """As much as a file of 1 MB can ask for: more than an instant, never more than a moment."""
    content, message = LARGE[name]
    file = tmp_path / "rules.yaml"
    file.write_bytes(content)
    seconds, error = canary.seconds_to_refuse(lambda: load(file))
    assert message in str(error)
    canary.check_sentence(str(error), str(file))
    assert seconds < 5
