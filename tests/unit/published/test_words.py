"""One story a figure: card, bullet, table and terminal say the same, and no amount is more than is known."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from rich.console import Console

from toolkit.analysis.interval import Interval
from toolkit.analysis.published.assemble import Question, analyse
from toolkit.published.values import Measure, Observation, Price
from toolkit.report import formats
from toolkit.report.published import report, words
from toolkit.report.published.terminal import summary

COMPUTE = np.geomspace(1e2, 1e6, 10)


def table(error, *, seeds=1, measures=("c",), doubts=(), **options):
    rows = [
        Observation(f"line {i}", float(value), dict.fromkeys(measures, float(cost)))
        for i, (cost, value) in enumerate(zip(np.repeat(COMPUTE, seeds), error, strict=True))
    ]
    asked = tuple(Measure(key, f"Compute {key}", "") for key in measures)
    question = Question("own", "", asked, priced="c", **options)
    return report.with_sentences(analyse(rows, question, doubts=doubts))


def noisy(error, sigma, seed=1):
    return error * np.exp(np.random.default_rng(seed).normal(0, sigma, len(error)))


def levelling(floor, seeds=3, sigma=0.002):
    return noisy(floor + 4 * np.repeat(np.geomspace(1, 1e4, 10), seeds) ** -0.6, sigma)


def printed(published, width=80) -> str:
    console = Console(width=width, record=True, file=None, color_system=None)
    with console.capture() as capture:
        console.print(summary(published), highlight=False)
    return capture.get().replace("\u00a0", " ")


def flat(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split())


def page(published) -> str:
    text = report.render(published)
    return flat(re.sub(r"<[^>]+>", " ", text[text.index("<main>") : text.index("</main>")]))


def steep(exponent, sigma=1e-5):
    return noisy(0.5 * (COMPUTE / 1e2) ** -exponent, sigma)


def test_a_line_that_falls_too_slowly_for_a_number_is_not_said_never_to_reach():
    found = table(steep(0.0005), targets=(0.1,), prices=(Price("usd", 2.0), Price("kg_co2", 1.0)))
    first, *_, last = (flat(told) for told in found.sentences)
    assert "halving the error took over 10³⁰⁸ times the compute" in first
    assert last == "By the line 10 % takes over 10³⁰⁸."
    for text in (page(found), flat(printed(found)), *found.sentences):
        assert "never" not in text
        assert "$∞" not in text
    assert "To reach 10 %, by the line over 10³⁰⁸" in page(found)
    assert "too far for a number" in page(found)


def test_a_line_that_rises_is_still_said_never_to_reach():
    found = table(np.geomspace(0.1, 0.4, 10), targets=(0.05,))
    assert "The line never reaches 5\u00a0%." in found.sentences
    assert "never" in printed(found)


def test_card_and_bullet_agree_where_the_factor_has_no_upper_end():
    found = table(steep(0.001, sigma=1e-3))
    line = found.studies[0].line
    assert math.isinf(line.k_half.high)
    assert math.isfinite(line.k_half.low)
    (least,) = re.findall(r"took (at least \S+ × \S+) times", flat(found.sentences[0]))
    assert f"Compute to halve the error {least} ×" in page(found)
    assert least in flat(printed(found))
    assert "not shown" not in page(found)


def test_the_floor_of_a_loss_has_the_digits_that_tell_its_interval():
    found = table(levelling(2.3), seeds=3, error_scale="loss", error_title="Val loss")
    shown = words.error_interval(found, found.studies[0].curve.floor)
    main, low, high = re.findall(r"[\d.]+", shown)
    assert len({main, low, high}) == 3
    assert shown in found.sentences[0]
    assert f"Floor {main} between {low} and {high}" in page(found)


def test_an_amount_has_the_digits_that_tell_its_interval():
    assert words.interval(Interval(46_812, 46_700, 46_930), "s") == "46,800\u00a0s [46,700, 46,900]"
    assert words.interval(Interval(990, 330, 4_900)) == "990 [330, 4,900]"
    assert words.money(Interval(93_600, 93_400, 93_800)) == "$93,600 [$93,400, $93,800]"


def test_points_on_the_line_claim_no_digits_of_its_interval():
    exact = 92_423_912.5
    assert words.interval(Interval(exact, exact, exact)) == "9.2 × 10⁷ [9.2 × 10⁷, 9.2 × 10⁷]".replace(
        " ×", "\u00a0×"
    ).replace("× ", "×\u00a0")


def test_no_row_of_the_terminal_is_cut_off():
    found = printed(table(levelling(1.0, sigma=0.02) / 5, seeds=3))
    floor = found.splitlines()[5:7]
    assert re.search(r"[\d.]+ %$", floor[0].rstrip())
    assert re.search(r"\[[\d.]+ %,$", floor[1].rstrip())
    steeper = printed(table(steep(0.0012, sigma=2e-4)))
    assert re.search(r"not known\s*\n.*\[none, [\d.]+ %\]", steeper)


@pytest.mark.parametrize("width", [40, 50, 80, 100])
def test_every_figure_stands_whole_on_terminals_of_any_width(width):
    for error, options in (
        (noisy(0.5 * (COMPUTE / 1e2) ** -0.25, 0.01), {"level": 0.5}),
        (noisy(0.005 * (COMPUTE / 1e2) ** -0.25, 0.01), {}),
        (levelling(1.0, seeds=1, sigma=0.02) / 5, {}),
    ):
        found = table(error, **options)
        (study,) = found.studies
        text = printed(found, width).partition("•")[0]
        assert max(map(len, text.splitlines())) <= width
        for shown in (words.power(study.line.power), words.halving(study.line), words.floor(found, study)):
            for part in flat(shown).replace(", ", " ").strip("]").replace(" [", " ").split():
                assert part in text
        assert "Compute c" in text


def test_an_infinite_end_is_no_money_and_an_infinite_amount_has_its_least():
    inf = math.inf
    assert words.money(Interval(2e9, 1e9, inf)) == "$2.0\u00a0bn [$1.0\u00a0bn, ∞]"
    assert words.money(Interval(inf, 1e9, inf)) == "at least $1.0\u00a0bn"
    assert words.carbon(Interval(inf, 2e3, inf)) == "at least 2.0\u00a0t CO₂"
    assert words.interval(Interval(inf, 2e3, inf), "s") == "at least 2,000\u00a0s"
    assert words.interval(Interval(inf, inf, inf), "s") == "over 10³⁰⁸\u00a0s"


def test_a_power_that_is_rounded_up_keeps_its_decimals():
    assert words.power(Interval(9.96, 8.4, 12.3)) == "10.0 [8.4,\u00a012.3]"
    assert formats.interval(Interval(9.94, 8.4, 12.3)) == "9.9 [8.4,\u00a012.3]"
    assert formats.interval(Interval(9.4, 8.4, 9.97)) == "9.40 [8.40,\u00a09.97]"
    assert formats.interval(Interval(9.4, 7.4, 9.97)) == "9.4 [7.4,\u00a010.0]"


@pytest.mark.parametrize("exponent", [0.0998, 0.1003])
def test_the_power_of_the_card_is_that_of_the_bullet(exponent):
    found = table(steep(exponent, sigma=0.02))
    (power,) = re.findall(r"power of k is ([\d.]+) ", flat(found.sentences[0]))
    assert f"<sup>{power}</sup>" in report.render(found)


def test_targets_of_a_loss_are_named_and_no_target_is_rounded():
    found = table(levelling(2.3), seeds=3, error_scale="loss", error_title="Val loss", targets=(12, 2.4, 1))
    assert "To reach val loss 12 at most 100" in page(found)
    assert "To reach val loss 2.4 reached at" in page(found)
    assert "by the rung; by the curve:" in page(found)
    assert any(told.startswith("Val loss 12 takes at most 100") for told in found.sentences)
    assert "The curve with its floor never reaches val loss 1." in found.sentences
    shares = table(noisy(0.5 * (COMPUTE / 1e2) ** -0.15, 0.01), targets=(0.2005,))
    assert "To reach 20.05 % reached at" in page(shares)


def test_where_a_floor_shows_the_terminal_leads_with_the_curve_and_marks_whose_figure_it_is():
    text = printed(table(levelling(0.2, sigma=0.02) / 5, seeds=3))
    rows = [line.split()[:3] for line in text.splitlines() if re.match(r"(Compute c,|by the)", line)]
    assert rows[0][:2] == ["Compute", "c,"]
    assert [row[2] for row in rows if row[0] == "by"] == ["curve", "line"]
    plain = printed(table(noisy(0.5 * (COMPUTE / 1e2) ** -0.15, 0.01)))
    assert "by the curve" not in plain


@pytest.mark.parametrize(("seeds", "heading"), [(1, "results"), (3, "rungs")])
def test_points_are_counted_as_what_they_are(seeds, heading):
    found = table(noisy(np.repeat(0.5 * (COMPUTE / 1e2) ** -0.15, seeds), 0.01), seeds=seeds)
    (head,) = [line for line in printed(found).splitlines() if line.startswith("measure")]
    assert head.split()[1] == heading
    assert f">{heading.title()}<" in report.render(found)


def test_numbers_of_refusals_are_written_as_elsewhere():
    found = table(noisy(0.5 * (COMPUTE / 1e2) ** -0.1, 0.0001), targets=(0.05,))
    raw = found.studies[0].forecasts[0].refusals[0][1]
    assert re.search(r"takes \d\.\d+e\+\d+ times", raw)
    assert "e+" not in page(found)
    assert "e+" not in printed(found)
    assert words.told("1e+07 has 2, 1.89e+06 times") == "1\u00a0×\u00a010⁷ has 2, 1,890,000 times"


def test_the_section_on_floors_is_named_after_what_it_tells():
    shown = report.render(table(levelling(2.3), seeds=3, error_scale="loss"))
    assert ">What the data tell of a floor</h2>" in shown
    assert "What the data cannot tell" not in shown
    assert ">What the data cannot tell</h2>" in report.render(table(noisy(0.5 * COMPUTE**-0.15, 0.02)))


def test_the_link_to_the_first_section_names_it():
    text = report.render(table(noisy(0.5 * COMPUTE**-0.15, 0.02)))
    assert 'href="#what-the-table-says">Skip to what the table says</a>' in text


def test_doubts_and_refusals_are_printed_and_shown():
    found = table(noisy(0.5 * COMPUTE**-0.15, 0.02), targets=(0.001,), doubts=("all is small",))
    assert "is this meant? all is small" in printed(found)
    assert "Is this meant? All is small." in page(found)
    assert "no forecast: 0.1 % is not shown to be reachable" in flat(printed(found))
    assert report.to_json(found)["doubts"] == ["all is small"]


def test_a_refusal_names_its_measures_where_it_is_not_of_all():
    error = noisy(0.5 * (COMPUTE / 1e2) ** -0.15, 0.02)
    rows = [
        Observation(f"line {i}", float(e), {"a": 10.0 * c, "b": c})
        for i, (c, e) in enumerate(zip(COMPUTE, error, strict=True))
    ]
    rows[9] = Observation("line 9", float(error[9]), {"a": 1e7})
    rows[8] = Observation("line 8", float(error[8]), {"a": 4e6})
    rows[7] = Observation("line 7", float(error[7]), {"a": 2e6})
    asked = (Measure("a", "First", ""), Measure("b", "Second", ""))
    found = report.with_sentences(analyse(rows, Question("own", "", asked)))
    assert "no forecast: Second: 7 results are there" in flat(printed(found))


@pytest.mark.parametrize("level", [0.5, 0.999])
def test_where_a_level_is_asked_for_what_is_not_shown_names_the_level_it_is_held_at(level):
    error = noisy(0.4 * np.geomspace(1, 1e4, 10) ** -0.01, 0.05, seed=3)
    found = [flat(told) for told in table(error, targets=(0.1,), level=level).sentences]
    assert re.search(r"does not clearly fall with compute c: the line's exponent is .* at 95 %\.", found[0])
    assert re.search(r"anywhere from none to [\d.]+ % at 95 %", found[1])
    (most,) = re.findall(r"from none to ([\d.]+ %) at 95 %", found[1])
    asked = table(error, targets=(0.1,), level=level)
    assert f"Floor not known between none and {most} at 95 %" in page(asked)
    assert f"not known [none, {most} at 95 %]" in page(asked)
    usual = table(error, targets=(0.1,)).sentences
    assert not any("at 95" in told for told in usual)
    assert found[2] == flat(usual[2])
