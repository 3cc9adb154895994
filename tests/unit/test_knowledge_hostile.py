"""Conditions written to do harm: each is refused in a sentence, at once, and nothing runs."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.condition import Threshold
from toolkit.knowledge.language import MAX_LENGTH, Vocabulary, parse

WORDS = Vocabulary(
    columns={
        "n": "whole number",
        "x": "number",
        "file": "number",
        "live": "yes/no",
        "goods": "choice",
        "Monthly Charges": "number",
    },
    choices={},
    sets={"dry": ("beer", "rice"), "many": tuple(float(number) for number in range(1500))},
    terms={"regular": Threshold("n", ">=", 4)},  # type: ignore[arg-type]
)

CALLS = {
    "import": "__import__('os').system('touch canary')",
    "import compared": "__import__('os').system('touch canary') == 0",
    "import in a list": "n in [__import__('os').system('touch canary')]",
    "import as a factor": "__import__('os').system('touch canary') * n > 1",
    "call of a column": "n('touch canary')",
    "call behind and": "n > 1 and open('canary', 'w')",
    "call in a chain": "1 < n < open('canary', 'w')",
    "eval": "eval('1') == n",
    "exec": "exec('import os') == n",
    "compile": "compile('1', '', 'eval') == n",
    "getattr": "getattr(n, 'real') > 1",
    "globals": "globals()['x'] > 1",
    "breakpoint": "breakpoint() == n",
    "decorator": "@n\ndef f(): pass",
}
ATTRIBUTES = {
    "attribute": "n.real > 1",
    "class": "n.__class__ == x",
    "subclasses": "().__class__.__bases__[0].__subclasses__()[0] == n",
    "of a text": "'a'.__class__ == goods",
    "of a number": "(1).__class__ == n",
    "format": "'{0.__class__}'.format(n) == goods",
    "item": "n[0] > 1",
    "slice": "n[::] > 1",
    "dunder name": "__builtins__ == n",
    "dunder import": "__import__ == n",
    "dunder file": "__file__ == goods",
    "dunder loader": "__loader__ in [1]",
}
SYNTAX = {
    "lambda": "(lambda: 1)() == n",
    "lambda alone": "lambda: n",
    "list comprehension": "[c for c in [1]] == n",
    "set comprehension": "n in {c for c in [1]}",
    "dict comprehension": "{c: c for c in [1]} == n",
    "generator": "n in (c for c in [1])",
    "walrus": "(n := 3) > 2",
    "f-string": "f'{n}' == goods",
    "f-string with a call": 'goods == f\'{__import__("os").system("touch canary")}\'',
    "nested f-string": "goods == f'{f\"{n}\"}'",
    "conditional": "n if live else x",
    "starred": "n in [*dry]",
    "dictionary": "{1: 2} == n",
    "await": "(await n) > 1",
    "yield": "(yield n) > 1",
    "ellipsis": "n > ...",
    "complex": "n > 1j",
    "bytes": "b'milk' == goods",
    "none": "n == None",
    "truth": "n > True",
    "is": "n is 3",
    "is not": "n is not None",
    "statement": "n > 1; import os",
    "assignment": "n = 1",
    "import statement": "import os",
    "assert": "assert n > 1",
    "print": "print >> n",
    "two lines": "n > 1\nimport os",
    "comment": "n > 1 # and nothing after this is read\nand live",
    "comment alone": "# n > 1",
    "type comment": "n > 1  # type: ignore",
    "line continuation": "n > \\\n 1",
    "matrix product": "n @ x > 1",
    "power": "n ** 2 > 1",
    "division": "n / 0 > 1",
    "remainder": "n % 2 == 0",
    "shift": "1 << 9999999999 > n",
    "bit and": "n & 1 == 1",
    "invert": "~n > 1",
    "sum": "n + x > 1",
    "two columns multiplied": "n * x > 1",
}
NUMBERS = {
    "power bomb": "n > 9**9**9**9",
    "power bomb as a factor": "9**9**9 * n > 1",
    "huge whole number": "n > " + "9" * 1900,
    "huge hexadecimal number": "n > 0x" + "f" * 1900,
    "huge binary number": "n > 0b" + "1" * 1900,
    "huge factor": "9" * 1900 + " * n > 1",
    "huge exponent": "n > 1e999999",
    "huge negative exponent": "n > 1e-999999",
    "infinity": "n > 1e309",
    "too large": "n > 1e16",
    "huge limit by a tiny factor": "1e-300 * n > 1e15",
    "tiny limit by a huge factor": "1e15 * n > 1e-300",
    "factors beyond exact arithmetic": "1e-200 * n > 1e-7 * x",
    "digits beyond exact arithmetic": "0.12345678901234567 * n > 0.98765432109876543",
    "underscores": "n > 1__000",
    "leading zero": "n > 0777",
    "nan": "n == nan",
    "inf": "n < inf",
    "digits of another script": "n > \u0663",
    "fullwidth digit": "n > \uff13",
    "superscript": "n > 3\u00b2",
}
DEPTH = {
    "parentheses": "(" * 199 + "n > 1" + ")" * 199,
    "many parentheses": "(" * 990 + "n > 1" + ")" * 990,
    "unclosed parentheses": "(" * 1990,
    "unclosed brackets": "n in " + "[" * 1990,
    "nested lists": "n in " + "[" * 90 + "1" + "]" * 90,
    "not": "not " * 490 + "live",
    "not with parentheses": "not (" * 90 + "live" + ")" * 90,
    "minus": "n > " + "-" * 1900 + "1",
    "plus and minus": "n > " + "+-" * 950 + "1",
    "minus on a column": "-" * 1900 + "n > 1",
    "invert many": "n > " + "~" * 1900 + "1",
    "and in or in and": "(n > 1 and (live or " * 60 + "live" + "))" * 60,
    "attributes": "n" + ".a" * 950 + " > 1",
    "calls": "n" + "()" * 950 + " > 1",
    "subscripts": "n" + "[0]" * 600 + " > 1",
    "sum of many": "n > 1" + "+1" * 950,
    "product of many": "n > 1" + "*1" * 950,
    "powers": "n > 2" + "**2" * 600,
    "lambdas": "lambda:" * 280 + "n",
    "conditionals": "n if live else " * 130 + "n",
}
SIZE = {
    "very long": "n > 1 and " * 20_000 + "live",
    "long white space": "n > 1" + " " * 1_000_000,
    "long name": "q" * 1900 + " > 1",
    "long name like another": "Monthly Charge" * 100 + " > 1",
    "long text": "goods == 'milk' and n == '" + "m" * 1900 + "'",
    "long chain": "1 < " + "n < " * 400 + "2 < n",
    "many unknown names": " or ".join(f"n{number} > 1" for number in range(150)),
    "a large set again and again": " or ".join(["n in many", "x in many"] * 70),
    "a large set in many columns": "n in many or x in many or file in many",
}
LETTERS = {
    "fullwidth name": "\uff4e > 1",
    "fullwidth eval": "\uff45\uff56\uff41\uff4c('1') == n",
    "ligature": "\ufb01le > 1",
    "mathematical italic": "\U0001d465 > 1",
    "mathematical bold dunder": "__\U0001d422mport__('os') == n",
    "fullwidth keyword": "n > 1 \uff41\uff4e\uff44 live",
    "fullwidth term": "\uff52egular",
    "fullwidth low line for a name in backquotes": "`x` > 1 and \uff3f\uff3f0 > 1",
    "cyrillic look-alike": "\u0445 > 1",
    "greek look-alike": "\u03bd > 1",
    "fullwidth parentheses": "\uff08n > 1\uff09",
    "look-alike operator": "n \uff1e 1",
    "greater or equal sign": "n \u2265 1",
    "curly quotes": "goods == \u201cmilk\u201d",
    "emoji": "\U0001f4a3 > 1",
    "right-to-left override": "n > 1 \u202e and live",
    "right-to-left override in a text": "goods == 'mi\u202elk'",
    "isolate in a text": "goods in ['milk\u2066', 'beer\u2069']",
    "zero-width space": "n\u200b > 1",
    "zero-width space in a text": "goods == 'mi\u200blk'",
    "zero-width joiner": "n\u200d > 1",
    "soft hyphen": "goods == 'mi\u00adlk'",
    "byte-order mark": "\ufeffn > 1",
    "no-break space": "n\u00a0> 1",
    "no-break space in a text": "goods == 'oat\u00a0milk'",
    "line separator": "n > 1\u2028and live",
    "null": "n > 1\x00",
    "null in a text": "goods == 'a\x00b'",
    "escape": "n > 1 \x1b[2J",
    "escape in a text": "goods == '\x1b]0;owned\x07'",
    "delete": "n\x7f > 1",
    "backspace": "n > 1\x08",
    "form feed": "\x0cn > 1",
    "vertical tab": "n > 1 \x0b and live",
    "lone surrogate": "goods == '\ud800'",
    "lone surrogate escaped": "goods == '\\ud800'",
}
TEXTS = {
    "unclosed": "goods == 'milk",
    "unclosed backquote": "`Monthly Charges > 70",
    "empty backquotes": "`` > 1",
    "backquotes with code": "`__import__('os').system('touch canary')` > 1",
    "backquotes in a call": "open(`Monthly Charges`) > 1",
    "unknown escape": r"goods == 'a\d'",
    "short hexadecimal escape": r"goods == '\x4'",
    "unknown character name": r"goods == '\N{NO SUCH CHARACTER}'",
    "escape out of range": r"goods == '\U00110000'",
    "missing comma": "goods in ['milk' 'beer']",
    "joined texts": "goods == 'mi' 'lk'",
    "three quotes": "goods == '''milk'''",
    "text for a number": "n > '1'",
    "text alone": "'milk'",
    "format bomb": "goods == '%999999999d' % 1",
    "repeated text": "goods == 'a' * 9999999999",
    "repeated list": "n in [1] * 9999999999",
}
ALL = {
    f"{kind}: {name}": text
    for kind, inputs in {
        "call": CALLS,
        "attribute": ATTRIBUTES,
        "syntax": SYNTAX,
        "number": NUMBERS,
        "depth": DEPTH,
        "size": SIZE,
        "letters": LETTERS,
        "text": TEXTS,
    }.items()
    for name, text in inputs.items()
}
HARMLESS = {"depth: parentheses", "number: tiny limit by a huge factor"}
"""Odd, but they mean what they say."""


@pytest.mark.parametrize("name", [name for name in ALL if name not in HARMLESS])
def test_hostile_conditions_are_refused_at_once_and_nothing_runs(name: str, canary: Any) -> None:
    seconds, error = canary.seconds_to_refuse(lambda: parse(ALL[name], WORDS, where="rules.yaml:7:3"))
    assert type(error) is KnowledgeError
    canary.check_sentence(str(error), "rules.yaml:7:3: ")
    assert seconds < canary.MAX_SECONDS


def test_there_are_many_hostile_conditions() -> None:
    assert len(set(ALL.values())) >= 150
    assert max(map(len, ALL.values())) > MAX_LENGTH


def grown(levels: int, text: str) -> dict[str, Any]:
    """Return a knowledge base with terms that use the one before."""
    terms = {"t0": "n > 0 or x > 0"}
    for level in range(1, levels):
        terms[f"t{level}"] = text.format(before=f"t{level - 1}", level=level)
    return {
        "knowledge_base": "k",
        "predicts": "y",
        "prior": "5 %",
        "columns": {"n": {}, "x": {}},
        "terms": terms,
        "rules": [],
    }


@pytest.mark.parametrize(
    ("base", "message"),
    [
        (grown(60, "{before} and n > {level} or {before} and x > {level}"), "more than 2,000 comparisons"),
        (grown(60, "not ({before} and n > {level}) or {before} and x > {level}"), "more than 2,000"),
        (grown(3000, "{before} and t2999"), "in a circle"),
        ({**grown(1, ""), "terms": {f"t{n}": f"t{n + 1} or n > {n}" for n in range(1500)}}, "unknown name"),
    ],
    ids=["doubling", "doubling with not", "long circle", "long chain, last first"],
)
def test_terms_cannot_grow_without_bound(base: dict[str, Any], message: str, canary: Any) -> None:
    knowledge = KnowledgeBase.model_validate(base)
    seconds, error = canary.seconds_to_refuse(knowledge.conditions)
    assert message in str(error)
    assert len(str(error)) < 600
    assert seconds < (canary.MAX_SECONDS if len(base["terms"]) < 100 else 1.0)
