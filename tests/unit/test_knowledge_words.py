from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import sympy

from toolkit.knowledge import validation
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.language import parse
from toolkit.knowledge.notation.formulas import skeleton
from toolkit.knowledge.notation.mathematics import in_latex, in_math, latex_text, to_latex, to_math
from toolkit.knowledge.notation.words import Wording, in_words, number_text

COLUMNS: dict[str, Any] = {
    "n28": {"type": "whole number", "unit": "purchase days in 28 days"},
    "n182": {"type": "whole number", "unit": "purchase days in 26 weeks; unknown for new households"},
    "gap_cv": {},
    "weight": {"unit": "kg"},
    "width": {"unit": "metres at most"},
    "depth": {"unit": "metres at most"},
    "live": {"type": "yes/no", "unit": "the household holds a live coupon"},
    "new_home": {"type": "yes/no"},
    "category": {"type": "choice", "unit": "product category"},
    "Monthly $ & %": {},
}


def knowledge(when: str, **changes: Any) -> KnowledgeBase:
    rule = {"id": "r", "when": when, "then": "buys", "certainty": "likely", "because": "So."}
    return KnowledgeBase.model_validate(
        {
            "knowledge_base": "k",
            "predicts": "y",
            "prior": "5 %",
            "columns": COLUMNS,
            "sets": {"storable": ["COFFEE", "TEA"], "winter_months": [12, 1, 2]},
            "terms": {
                "regular": "n182 >= 4 and gap_cv < 0.6",
                "cold_season": "n28 <= 4 or n28 >= 10",
                "frequent": "n28 >= 9",
            },
            "rules": [{**rule, **changes}],
        }
    )


CASES = [
    (
        "n28 >= 2 and category in storable",
        "purchase days in 28 days at least 2 and category is one of storable",
        "n28 ≥ 2 ∧ category ∈ storable",
        r"\text{n28} \geq 2 \land \text{category} \in \text{storable}",
    ),
    (
        'category in ["TEA", "COFFEE"]',
        "category is one of COFFEE or TEA",
        'category ∈ {"COFFEE", "TEA"}',
        r"\text{category} \in \left\{\text{COFFEE}, \text{TEA}\right\}",
    ),
    (
        "category not in storable and category != 'X_1'",
        "category is none of storable and category is not X_1",
        'category ∉ storable ∧ category ≠ "X_1"',
        r"\text{category} \notin \text{storable} \land \text{category} \neq \text{X\_1}",
    ),
    (
        "not live or new_home",
        "not (the household holds a live coupon) or new home is yes",
        "¬live ∨ new_home",
        r"\lnot \text{live} \lor \text{new\_home}",
    ),
    (
        "0.8 <= gap_cv <= 1.5 and 3 < weight <= 5",
        "gap cv between 0.8 and 1.5 and weight more than 3 and at most 5 kg",
        "gap_cv ≥ 0.8 ∧ gap_cv ≤ 1.5 ∧ weight > 3 ∧ weight ≤ 5",
        r"\text{gap\_cv} \geq 0.8 \land \text{gap\_cv} \leq 1.5 \land \text{weight} > 3 \land "
        r"\text{weight} \leq 5",
    ),
    (
        "13 * n28 >= 4 * n182 and width != depth",
        "13 times purchase days in 28 days at least 4 times purchase days in 26 weeks "
        "and width other than depth",
        "13·n28 ≥ 4·n182 ∧ width ≠ depth",
        r"13 \cdot \text{n28} \geq 4 \cdot \text{n182} \land \text{width} \neq \text{depth}",
    ),
    (
        "-1 * n28 < 2 * gap_cv",
        "2 times gap cv more than -1 times purchase days in 28 days",
        "-n28 < 2·gap_cv",
        r"-\text{n28} < 2 \cdot \text{gap\_cv}",
    ),
    (
        "3 * gap_cv > 1 and n28 == 0",
        "gap cv more than 1/3 and purchase days in 28 days exactly 0",
        "gap_cv > 1/3 ∧ n28 = 0",
        r"\text{gap\_cv} > 1/3 \land \text{n28} = 0",
    ),
    (
        "regular and live",
        "regular and the household holds a live coupon",
        "n182 ≥ 4 ∧ gap_cv < 0.6 ∧ live",
        r"\text{n182} \geq 4 \land \text{gap\_cv} < 0.6 \land \text{live}",
    ),
    (
        "live and not regular",
        "the household holds a live coupon and not regular",
        "live ∧ (n182 < 4 ∨ gap_cv ≥ 0.6)",
        r"\text{live} \land (\text{n182} < 4 \lor \text{gap\_cv} \geq 0.6)",
    ),
    (
        "cold_season and live and frequent",
        "cold season and the household holds a live coupon and frequent",
        "(n28 ≤ 4 ∨ n28 ≥ 10) ∧ live ∧ n28 ≥ 9",
        r"(\text{n28} \leq 4 \lor \text{n28} \geq 10) \land \text{live} \land \text{n28} \geq 9",
    ),
    (
        "n28 in winter_months or live",
        "purchase days in 28 days one of winter months or the household holds a live coupon",
        "n28 = 12 ∨ n28 = 1 ∨ n28 = 2 ∨ live",
        r"\text{n28} = 12 \lor \text{n28} = 1 \lor \text{n28} = 2 \lor \text{live}",
    ),
    (
        "n28 in [3, 4, 5] or n28 > 9",
        "purchase days in 28 days one of 3, 4 or 5 or purchase days in 28 days more than 9",
        "n28 = 3 ∨ n28 = 4 ∨ n28 = 5 ∨ n28 > 9",
        r"\text{n28} = 3 \lor \text{n28} = 4 \lor \text{n28} = 5 \lor \text{n28} > 9",
    ),
    (
        "(n28 > 3 or live) and (n28 < 1 or not live)",
        "(purchase days in 28 days more than 3 or the household holds a live coupon) and "
        "(purchase days in 28 days less than 1 or not (the household holds a live coupon))",
        "(n28 > 3 ∨ live) ∧ (n28 < 1 ∨ ¬live)",
        r"(\text{n28} > 3 \lor \text{live}) \land (\text{n28} < 1 \lor \lnot \text{live})",
    ),
    (
        "`Monthly $ & %` <= 70",
        "Monthly $ & % at most 70",
        "`Monthly $ & %` ≤ 70",
        r"\text{Monthly \$ \& \%} \leq 70",
    ),
]


@pytest.mark.parametrize(("when", "words", "mathematics", "latex"), CASES)
def test_conditions_in_words_and_mathematics(when: str, words: str, mathematics: str, latex: str) -> None:
    base = knowledge(when)
    rule = base.rules[0]
    assert in_words(base, rule) == f"If {words}: buys (likely)."
    assert in_math(base, rule) == f"{mathematics} ⇒ buys (+0.6)"
    assert in_latex(base, rule) == rf"{latex} \Rightarrow \text{{buys}}\ (+0.6)"


def test_what_always_and_never_holds() -> None:
    base = knowledge("true", then="does not buy", certainty=0.25)
    assert in_words(base, base.rules[0]) == "In every case: does not buy (certainty 0.25)."
    assert in_math(base, base.rules[0]) == "true ⇒ buys (-0.25)"
    assert in_latex(base, base.rules[0]) == r"\top \Rightarrow \text{buys}\ (-0.25)"
    fact = {"id": "f", "when": "live", "because": "The law."}
    base = KnowledgeBase.model_validate(
        {**base.model_dump(exclude={"rules"}), "rules": [], "never": [fact], "always": [{**fact, "id": "g"}]}
    )
    assert in_words(base, base.never[0]) == "If the household holds a live coupon: never buys."
    assert in_words(base, base.always[0]) == "If the household holds a live coupon: always buys."
    assert in_math(base, base.never[0]) == "live ⇒ ¬buys"
    assert in_math(base, base.always[0]) == "live ⇒ buys"
    assert in_latex(base, base.never[0]) == r"\text{live} \Rightarrow \lnot \text{buys}"


def test_terms_say_what_they_mean() -> None:
    wording = Wording(knowledge("live"))
    assert wording.term("regular") == "purchase days in 26 weeks at least 4 and gap cv less than 0.6"
    assert wording.term("cold_season") == (
        "purchase days in 28 days at most 4 or purchase days in 28 days at least 10"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(-3, 5), "-0.6"),
        (Fraction(1, 3), "1/3"),
        (Fraction(10**15), "1000000000000000"),
        (Fraction(1, 10**9), "0.000000001"),
        (Fraction(10**15 - 1, 10**15), "0.999999999999999"),
    ],
)
def test_numbers_are_exact(value: Fraction, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    "name",
    [r"\input{/etc/passwd}", "$x$", "a%b", "^^5cinput", "{", "}", "a_b^c~d", "#1", "a|b<c>d", "\x1b\u202e"],
)
def test_no_name_is_a_command_of_latex(name: str) -> None:
    shown = latex_text(name)
    for harmless in (
        r"\textbackslash{}",
        r"\textasciicircum{}",
        r"\textasciitilde{}",
        r"\textless{}",
        r"\textgreater{}",
        r"\textbar{}",
        *(rf"\{mark}" for mark in "{}$&#%_"),
    ):
        shown = shown.replace(harmless, "")
    assert not set(shown) & set("\\{}$&#%_^~<>|")
    assert shown.isprintable()


def test_formulas_are_built_from_objects_with_names_of_our_own() -> None:
    base = knowledge(
        "(n28 > 1 or n28 <= 1) and 13 * n28 >= 4 * n182 and gap_cv == 0.1 and category in storable"
    )
    condition = parse(base.rules[0].when, validation.vocabulary(base))
    built = skeleton(condition)
    c0, c1, c2, c3 = built.columns
    assert [symbol.name for symbol in built.columns] == ["c0", "c1", "c2", "c3"]
    assert list(built.columns.values()) == ["n28", "n182", "gap_cv", "category"]
    assert list(built.levels.values()) == ["COFFEE", "TEA"]
    relations = list(built.atoms.values())
    assert relations[:3] == [c0 > 1, c0 <= 1, 13 * c0 >= 4 * c1]
    assert relations[3] == sympy.Eq(c2, sympy.Rational(1, 10), evaluate=False)
    assert not built.expression.atoms(sympy.Float)
    assert isinstance(relations[4], sympy.Contains)
    assert relations[4].args[0] == c3
    # Where values may be missing, the alternative is not idle; sympy must not drop it.
    assert isinstance(built.formula, sympy.And)
    assert len(built.formula.atoms(sympy.Symbol)) == 5
    # Where they are known it is.
    assert not built.expression.has(c0 > 1)


def test_a_column_may_bear_any_name_and_nothing_runs(canary: Any) -> None:
    name = "__import__('os').system('touch canary')"
    base = KnowledgeBase.model_validate(
        {**knowledge("live").model_dump(), "columns": {**COLUMNS, name: {}}, "rules": [], "terms": {}}
    )
    condition = parse(f"`{name}` > 1 or `{name}` == 1", validation.vocabulary(base))
    canary.watching = True
    shown = to_math(condition), to_latex(condition)
    canary.watching = False
    assert shown[0] == f"`{name}` > 1 ∨ `{name}` = 1"
    assert canary.ran == []
    assert list(canary.folder.iterdir()) == []
