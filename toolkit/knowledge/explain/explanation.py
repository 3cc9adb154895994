"""Why a row gets its probability: plain frozen records, and the text that tells them.

An explanation is a sum in log-odds: what the prior gives, what every rule that counts adds, and,
where a model was learned on top, what it corrects. Hard facts are put over the sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

__all__ = ["NO_RULE", "Change", "Contribution", "Explanation", "Fact", "Silenced", "Template", "WhyNot"]

NO_RULE = "no rule applies: the prior stands"


@dataclass(frozen=True)
class Contribution:
    """A rule that fired and counts.

    Parameters
    ----------
    rule, when, then, because : str
        As the knowledge base has them.
    certainty : str or float
        The expert's word or number.
    log_odds : float
        What the rule adds here.
    experts_log_odds : float
        What the expert's certainty alone stands for; labels may have re-weighted it.
    """

    rule: str
    when: str
    then: str
    certainty: str | float
    because: str
    log_odds: float
    experts_log_odds: float

    @cached_property
    def line(self) -> str:
        """The contribution in one line."""
        return f"{self.log_odds:+8.3f}  {said(self.rule, self.then, self.certainty)}: {self.because}\n"


@dataclass(frozen=True)
class Silenced:
    """A rule that fired but does not count, because `stronger` of its group fired too and goes before it."""

    rule: str
    stronger: str
    because: str


@dataclass(frozen=True)
class Fact:
    """A hard fact that holds: it settles the answer whatever the evidence; ``never`` wins."""

    id: str
    kind: Literal["never", "always"]
    because: str


@dataclass(frozen=True)
class Change:
    """One value that would have to be another.

    Parameters
    ----------
    column : str
    value : float, int, bool or str
        With this value in its place the rule fires.
    was : float, int, bool, str or None
        None is missing.
    text : str
        The change in words, e.g. ``due were 0.8 instead of 0.62``.
    """

    column: str
    value: float | bool | str
    was: float | bool | str | None
    text: str


@dataclass(frozen=True)
class WhyNot:
    """The nearest rule that does not fire, and the smallest change with which it fires and counts.

    Parameters
    ----------
    rule, then : str
    certainty : str or float
    changes : tuple of Change
    distance : float
        Sum over the changes: a number's as a share of its column's range, any other change 1.
    """

    rule: str
    then: str
    certainty: str | float
    changes: tuple[Change, ...]
    distance: float

    def to_text(self) -> str:
        """Return e.g. ``due-again (buys, likely) would fire if due were 0.8 instead of 0.62``."""
        return would_fire(self.rule, self.then, self.certainty) + " and ".join(
            change.text for change in self.changes
        )


@dataclass(frozen=True)
class Explanation:
    """Why one row gets its probability.

    ``logit = bias + prior_log_odds + sum of the contributions + correction``, within 1e-6.

    Parameters
    ----------
    predicts : str
        What the probability is of.
    probability : float
        The answer, hard facts included.
    logit : float
        The answer in log-odds before hard facts.
    prior : str
        The column it comes from, or the percentage.
    prior_probability, prior_log_odds : float
        Before any rule.
    contributions : tuple of Contribution
        In the order written.
    silenced : tuple of Silenced
    facts : tuple of Fact
    why_not : WhyNot or None
        None when every rule that could count fires already, none can be made to, or a hard fact settles
        the answer.
    scale : float
        Factor on the experts' log-odds.
    bias : float
        What labels add to every row.
    correction : float or None
        What a model learned on top adds to this row; None without one.
    """

    predicts: str
    probability: float
    logit: float
    prior: str
    prior_probability: float
    prior_log_odds: float
    contributions: tuple[Contribution, ...]
    silenced: tuple[Silenced, ...] = ()
    facts: tuple[Fact, ...] = ()
    why_not: WhyNot | None = None
    scale: float = 1.0
    bias: float = 0.0
    correction: float | None = None

    @property
    def no_rule_applies(self) -> bool:
        """Whether no rule fired."""
        return not self.contributions and not self.silenced

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; ``text`` is the explanation in words."""
        return {**asdict(self), "no_rule_applies": self.no_rule_applies, "text": self.to_text()}

    def to_text(self) -> str:
        """Return the explanation in a few lines."""
        template = Template(
            self.predicts, self.prior, self.contributions, self.silenced, self.facts, bias=self.bias
        )
        return template.fill(
            self.probability,
            self.prior_probability,
            self.prior_log_odds,
            self.correction,
            self.logit,
            "" if self.why_not is None else self.why_not.to_text(),
        )

    def __str__(self) -> str:
        return self.to_text()


class Template:
    """The text of all rows on which the same rules fire; a row only fills in its numbers.

    Parameters
    ----------
    predicts, prior : str
    contributions : sequence of Contribution
    silenced : sequence of Silenced
    facts : sequence of Fact
    bias : float
    """

    def __init__(
        self,
        predicts: str,
        prior: str,
        contributions: Sequence[Contribution],
        silenced: Sequence[Silenced],
        facts: Sequence[Fact],
        *,
        bias: float = 0.0,
    ) -> None:
        self._head = f"{predicts}: "
        self._prior = "  prior " if prior.strip().endswith("%") else f"  prior {prior}, "
        labels = f"{bias:+8.3f}  what the labels add to every row\n" if bias else ""
        self._rules = labels + "".join([each.line for each in contributions])
        after = [] if contributions or silenced or facts else [NO_RULE]
        after += [
            f"fired but does not count: {each.rule}, as {each.stronger} of its group goes before it"
            for each in silenced
        ]
        after += [f"{each.kind} {each.id}: {each.because}" for each in facts]
        self._after = "".join(f"\n{line}" for line in after)

    def fill(
        self,
        probability: float,
        prior_probability: float,
        prior_log_odds: float,
        correction: float | None,
        logit: float,
        why_not: str,
    ) -> str:
        """Return the text of one row."""
        learned = "" if correction is None else f"{correction:+8.3f}  what the model learned on top\n"
        last = f"\nwhy not: {why_not}" if why_not else ""
        return (
            f"{self._head}{100 * probability:.3g} %\n"
            f"{prior_log_odds:+8.3f}{self._prior}{100 * prior_probability:.3g} %\n"
            f"{self._rules}{learned}"
            f"{logit:+8.3f}  log-odds in all{self._after}{last}"
        )


def said(rule: str, then: str, certainty: str | float) -> str:
    """Return a rule with what it says: ``due-again (buys, likely)``."""
    return f"{rule} ({then}, {certainty})"


def would_fire(rule: str, then: str, certainty: str | float) -> str:
    """Return the beginning of the sentence that the changes end."""
    return f"{said(rule, then, certainty)} would fire if "
