"""What would change the verdict: fragile assumptions, and the tracks to use by volume and value of a hit."""

from __future__ import annotations

from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.analysis.whatif.record import Regime, Sensitivity
from toolkit.report import elements, figures, formats
from toolkit.report.base import NotApplicable, Section
from toolkit.report.change_tables import changing, fragile, steady
from toolkit.report.looks import track_names
from toolkit.report.strips import Strip, now_told, strip_figure, strip_table

__all__ = ["SensitivitySection"]

VOLUME, HIT = "volume_per_year", "value.true_positive"


class SensitivitySection(Section):
    """One assumption at a time: where another track becomes the one to use."""

    order: ClassVar[int] = 17
    title: ClassVar[str] = "What would change it"

    def render(self, results: Results) -> Markup:
        """Return the section; not applicable with fewer than two tracks."""
        found = results.sensitivity
        if found is None or not found.assumptions:
            raise NotApplicable(
                "Fewer than two tracks can be valued, so no assumption changes which is best."
            )
        known = track_names(results)
        return elements.join(
            _lead(found, results),
            fragile(found, known),
            _strips(results, found, VOLUME, found.volume, found.deep_by_volume),
            _strips(results, found, HIT, found.hit, found.deep_by_hit),
            changing(found, known),
            steady(found),
        )


def _lead(found: Sensitivity, results: Results) -> Markup:
    verdict = results.verdict
    margin = "the margin"
    if verdict.margin is not None:
        margin = f"the margin ({formats.money(verdict.margin, verdict.currency)} a year as declared)"
    held = f"{found.best} is expected to earn most" if found.best else "none is expected to pay"
    text = (
        f"As declared, {held}. Here one assumption is moved at a time, thresholds and rungs are chosen anew, "
        "and that track is held on to wherever no other is ahead by more than "
        f"{margin}. Expected values only: how sure they are stands with the verdict."
    )
    if found.fragile:
        return elements.paragraph(
            f"{text} The nearest changes that last over a tenth of the "
            "amount; shorter ones are in the strips and the map:"
        )
    return elements.paragraph(
        f"{text} No assumption by itself changes the choice for over a tenth of its amount, as far as was "
        "looked."
    )


def _strips(
    results: Results,
    found: Sensitivity,
    key: str,
    use: tuple[Regime, ...],
    deep: tuple[Regime, ...],
) -> Markup:
    """Return the figure of one assumption; nothing where it is declared as zero."""
    one = next((one for one in found.assumptions if one.key == key), None)
    if one is None or not use:
        return Markup("")
    known = track_names(results)
    strips = [Strip("track to use", use, "none pays")]
    if deep:
        strips.append(Strip("deep learning pays", deep, "no"))
    title = "decisions" if key == VOLUME else "value of a hit"
    told = "; ".join(now_told(strip, one.likely, one.unit) for strip in strips)
    return figures.embed(
        strip_figure(
            strips,
            (one.low, one.likely, one.high),
            f"{formats.title(title)}, {one.unit} (log scale)",
            known,
        ),
        name=f"break-even-{'volume' if key == VOLUME else 'hit'}",
        title=f"Which track to use by {'the number of decisions' if key == VOLUME else 'the value of a hit'}",
        description=f"{formats.sentence(told)} The mark is what was declared; beyond what is drawn nothing "
        "changes.",
        table=strip_table(strips, title, one.unit, known),
        note="Deep learning pays where a net is expected to earn over the margin more than the best of "
        "baseline, rules and classical, though a hybrid may earn more still."
        if deep
        else "",
    )
