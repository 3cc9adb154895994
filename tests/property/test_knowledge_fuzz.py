"""Whatever is read: a condition that is written and read back the same, or an error in a sentence."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import KnowledgeBase, load
from toolkit.knowledge.condition import columns, to_text
from toolkit.knowledge.language import Vocabulary, parse
from toolkit.knowledge.writing import write

ROOT = Path(__file__).parents[2]
FILES = {
    name: (ROOT / "experiments" / "knowledge" / name).read_bytes()
    for name in ("retail.yaml", "gym.yaml", "gym-prices.csv")
}
many = settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
fewer = settings(many, max_examples=150)

BASE = Vocabulary(
    {
        "a": "number",
        "n": "whole number",
        "flag": "yes/no",
        "kind": "choice",
        "two words": "number",
        "ﬁ": "number",
    },
    {"kind": ("milk", "beer", "oat\u00a0milk", 'the "best"')},
    {"dry": ("beer", "milk"), "months": (12.0, 1.0, 2.5)},
)
WORDS = Vocabulary(
    BASE.columns,
    BASE.choices,
    BASE.sets,
    {"busy": parse("n >= 4 and (a < 0.5 or flag)", BASE), "odd": parse("not `two words` > 3", BASE)},
)
VALID = [
    "a > 1 and not (n <= 3 or flag)",
    "0.8 <= a <= 1.5 and kind in dry",
    "13 * n >= -4.5 * a or kind not in ['milk', \"beer\"]",
    "`two words` != 3 and busy and n in months",
    "kind == 'oat\\u00a0milk' or (odd and true)",
    "`two\nwords` > 1 and\n  `two words` < 2",
    "((a < -1e-3)) or n == 10 and not flag",
]
NAMES = [
    "a",
    "n",
    "flag",
    "kind",
    "`two words`",
    "busy",
    "odd",
    "dry",
    "months",
    "true",
    "None",
    "__import__",
    "ﬁ",
    "ａ",
]
PIECES = [
    *NAMES, "and", "or", "not", "in", "is", "if", "else", "lambda", "for", "(", ")", "[", "]", "{", "}",
    ",", ":", ":=", "<", "<=", ">", ">=", "==", "!=", "*", "**", "+", "-", "/", "@", "~", ".", "...", "=",
    "%", "0", "1", "2.5", "1e3", "-1e-7", "0x1F", "1_0", "9" * 30, "1e999", "1j", "'milk'", '"beer"',
    "'''x'''", "f'{a}'", "b'x'", "'", '"', "`", "\\", "#", "\n", "\t", " ", "\u00a0", "\u200b", "\u202e",
    "\x00", "é", "😀", "\ud800",
]  # fmt: skip

# Trees as Python's grammar grows them, most of which are no conditions.
ATOMS = st.sampled_from(
    [*NAMES, "1", "2.5", "-3", "1e3", "'milk'", '"beer"', "[1, 2]", "['milk']", "()", "..."]
)
OPERATORS = st.sampled_from(
    ["<", "<=", ">", ">=", "==", "!=", "in", "not in", "is", "and", "or", "*", "+", "-", "**", "@"]
)
TREES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("{} {} {}".format, inner, OPERATORS, inner),
        st.builds("({} {} {})".format, inner, OPERATORS, inner),
        st.builds("{} {} {} {} {}".format, inner, OPERATORS, inner, OPERATORS, inner),
        st.builds("not ({})".format, inner),
        st.builds("-{}".format, inner),
        st.builds("{}.real".format, inner),
        st.builds("{}({})".format, inner, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{} if {} else {}".format, inner, inner, inner),
        st.builds("(lambda: {})()".format, inner),
        st.builds("[{} for x in {}]".format, inner, inner),
    ),
    max_leaves=12,
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 4)))
        text = text[:start] + draw(st.sampled_from(PIECES) | st.text(max_size=3)) + text[end:]
    return text


def check_told(message: str, place: str, limit: int) -> None:
    assert message.startswith(place)
    assert message.isprintable()
    assert len(message) < limit


def check(text: str) -> None:
    try:
        condition = parse(text, WORDS, where="rules.yaml:1:1")
    except KnowledgeError as error:
        check_told(str(error), "rules.yaml:1:1: ", limit=700)
        return
    assert set(columns(condition)) <= set(WORDS.columns)
    assert parse(to_text(condition), BASE) == condition


@many
@given(mutated())
def test_mutated_conditions(text: str) -> None:
    check(text)


@many
@given(
    st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join)
    | st.lists(st.sampled_from(PIECES)).map("".join)
)
def test_heaps_of_pieces(text: str) -> None:
    check(text)


@many
@given(TREES)
def test_trees_of_pythons_grammar(text: str) -> None:
    check(text)


@many
@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_any_text(text: str) -> None:
    check(text)


TOKENS = [
    b"", b" ", b"\n", b"\t", b"  - ", b": ", b"{", b"}", b"[", b"]", b"'", b'"', b"#", b"&a ", b"*a",
    b"!!int ", b"|\n", b">", b"%", b"\x00", b"\xff", b"\xc3\xa9", b"\xe2\x80\xae", b"\xef\xbb\xbf", b"~",
    b"null", b"true", b"no", b"1e999", b".nan", b"9" * 500, b"0x1F", b"1:30", b"2020-01-01", b"not ",
    b" and ", b"<<: ", b"---\n", b"...\n", b"\\", b"\r", b"-", b"yes", b"`", b"rules:", b"columns:",
    b"because:", b"=1+1",
]  # fmt: skip


@st.composite
def mutated_files(draw: st.DrawFn) -> tuple[str, dict[str, bytes]]:
    """Return the knowledge base to load, and the files of the folder, one of them changed."""
    changed = draw(st.sampled_from(sorted(FILES)))
    raw = FILES[changed]
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.sampled_from([0, 1, 2, 10, 200])))
        piece = draw(st.sampled_from(TOKENS) | st.binary(max_size=4))
        if draw(st.integers(0, 9)) == 0:
            other = draw(st.integers(0, len(raw)))
            piece = raw[other : other + 300]
        raw = raw[:start] + piece + raw[end:]
    return ("retail.yaml" if changed == "retail.yaml" else "gym.yaml"), {**FILES, changed: raw}


def load_from(name: str, files: dict[str, bytes]) -> KnowledgeBase | None:
    with tempfile.TemporaryDirectory() as folder:
        for file, raw in files.items():
            (Path(folder) / file).write_bytes(raw)
        try:
            return load(Path(folder) / name)
        except KnowledgeError as error:
            check_told(str(error).replace("\n", " "), folder, limit=10_000)
            return None


@fewer
@given(mutated_files())
def test_mutated_files(changed: tuple[str, dict[str, bytes]]) -> None:
    knowledge = load_from(*changed)
    if knowledge is not None:
        assert knowledge.content_hash
        assert load_from("again.yaml", {"again.yaml": write(knowledge).encode()}) == knowledge


LEAVES: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        0,
        1,
        -1,
        0.5,
        10**400,
        float("inf"),
        "",
        "n > 1",
        "n",
        "5 %",
        "buys",
        "likely",
        "x" * 300,
        "\ud800",
        "a\0",
    ]
)
DATA = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["n", "type", "id", "when", "x"]), inner)
    ),
    max_leaves=8,
)


@many
@given(st.dictionaries(st.sampled_from([*KnowledgeBase.model_fields, "other"]), DATA, max_size=14))
def test_any_data(data: dict[str, Any]) -> None:
    """Built in Python, a knowledge base is refused by the same two errors, whatever it is made of."""
    sound = {"knowledge_base": "k", "predicts": "y", "prior": "5 %", "columns": {"n": {}}, "rules": []}
    for part in (data, {**sound, **data}):
        try:
            KnowledgeBase.model_validate(part).run_tests()
        except (ValueError, KnowledgeError):
            continue
