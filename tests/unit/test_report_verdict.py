"""The tiles of the verdict and what stands beside them, of experiments that lack something."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from types import ModuleType

import pytest
from rich.console import Console

from toolkit.analysis.boards.notes import report_note, track_note
from toolkit.analysis.boards.tracks import track_board
from toolkit.analysis.results import Interval, Results
from toolkit.analysis.verdict_words import more_often
from toolkit.report.document import as_text
from toolkit.report.sections.tracks import TracksSection
from toolkit.report.sections.verdict import VerdictSection
from toolkit.report.terminal import tracks_table


@pytest.fixture
def golden(made_up_results: ModuleType) -> Results:
    return made_up_results.golden()


def text_of(html: str) -> str:
    bare = re.sub(r"<script.*?</script>", " ", html, flags=re.DOTALL)
    bare = re.sub(r'<span class="whole">(.*?)</span>', r"\1", bare)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", bare).replace("\u00a0", " "))


def verdict_text(results: Results) -> str:
    return text_of(VerdictSection().render(results))


def terminal_text(results: Results, width: int = 100) -> str:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(tracks_table(results))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().replace("\u00a0", " ")


def of(results: Results, *tracks: str, **changes: object) -> Results:
    """Return the same experiment with these tracks only."""
    declared = {name: {} for name in tracks}
    entries = tuple(one for one in results.verdict.tracks if one.track in tracks)
    verdict = replace(results.verdict, **{"tracks": entries, **changes})
    return replace(results, experiment={**results.experiment, "tracks": declared}, verdict=verdict)


def without(results: Results, track: str, why: str) -> Results:
    entries = tuple(
        replace(one, excluded=why, probability_best=0.0) if one.track == track else one
        for one in results.verdict.tracks
    )
    chances = {
        "probability_deep_learning_worth_it": None,
        "deep_learning_worth_it": None,
        "probability_hybrid_worth_it": None,
        "hybrid_worth_it": None,
    }
    return replace(results, verdict=replace(results.verdict, tracks=entries, **chances))


def test_tiles_name_the_tracks_that_are_there(golden: Results) -> None:
    assert "more than the best of baseline, rules and classical" in verdict_text(golden)
    two = verdict_text(of(golden, "classical", "neural"))
    assert "that a net earns over $1.63 M a year more than classical" in two
    assert "Hybrid worth" not in two


def test_every_track_stands_beside_the_leader_with_its_interval(golden: Results) -> None:
    told = verdict_text(golden)
    assert "neural is $700,000 [\u2212$100,000, $1.50 M] behind; less than $1.63 M a year apart" in told
    assert "neural \u2212$700,000 (a tie); hybrid \u2212$2.70 M (earns less)" in told


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-2e6, 5e6, "cannot tell"),
        (-5e6, 2e6, "cannot tell"),
        (-1e6, 1e6, "a tie"),
        (2e6, 5e6, "earns less"),
        (-5e6, -2e6, "earns more"),
    ],
)
def test_what_is_told_beside_the_leader_follows_from_interval_and_margin(
    golden: Results, low: float, high: float, words: str
) -> None:
    gap = Interval((low + high) / 2, low, high)
    entries = tuple(
        replace(one, behind_leader_per_year=gap if one.track == "neural" else None)
        for one in golden.verdict.tracks
    )
    told = verdict_text(replace(golden, verdict=replace(golden.verdict, tracks=entries)))
    assert f"({words})." in told


def test_the_tile_says_why_a_verdict_is_not_clear(golden: Results) -> None:
    hardly = replace(golden, verdict=replace(golden.verdict, probability_none_pays=0.3))
    assert "probability that none pays: 30 %; neural is $700,000" in verdict_text(hardly)
    surely = replace(golden, verdict=replace(golden.verdict, probability_none_pays=0.02))
    assert "probability that none pays" not in verdict_text(surely)
    loss = Interval(-5.0, -9.0, 1.0)
    entries = tuple(replace(one, net_value_per_year=loss) for one in golden.verdict.tracks)
    loses = replace(golden, verdict=replace(hardly.verdict, tracks=entries))
    told = verdict_text(loses)
    assert "Too close to call probability that none pays: 30 % Deep" in told


def test_results_that_do_not_tell_what_is_behind_have_no_such_picture(made_up_results: ModuleType) -> None:
    assert "beside that of" not in verdict_text(made_up_results.old())


def test_without_a_net_no_net_is_spoken_of(golden: Results) -> None:
    nothing = {"probability_deep_learning_worth_it": None, "deep_learning_worth_it": None}
    told = verdict_text(of(golden, "rules", "classical", **nothing))
    assert "Deep learning worth its cost? Cannot tell no net in this experiment" in told
    assert "a net earns" not in told
    failed = of(golden, "rules", "classical", **nothing)
    failed = replace(failed, experiment={**failed.experiment, "tracks": {"raw": {"track": "neural"}}})
    assert "Cannot tell no net has results to value" in verdict_text(failed)
    alone = verdict_text(of(golden, "neural", "hybrid", **nothing, best="neural"))
    assert "there is no track without a net to hold it against" in alone


@pytest.mark.parametrize(("track", "title"), [("neural", "Deep learning"), ("hybrid", "Hybrid")])
def test_what_is_excluded_is_no_option(golden: Results, track: str, title: str) -> None:
    told = verdict_text(without(golden, track, "it is slow"))
    tile = told[told.index(f"{title} worth its cost") :]
    assert re.match(rf"[^?]*\? No option {track} is excluded, as it is slow ", tile)


def test_a_track_alone_has_no_probability_of_being_best(made_up_results: ModuleType) -> None:
    one = made_up_results.one_cell()
    sure = replace(one.verdict, tracks=tuple(replace(e, probability_best=1.0) for e in one.verdict.tracks))
    results = replace(one, verdict=sure)
    for text in (
        verdict_text(results),
        text_of(TracksSection().render(results)),
        terminal_text(results),
        as_text(results, "md").replace("\u00a0", " "),
    ):
        assert "99.9 %" not in text
        assert "–" in text
    assert "| – |" in report_note(results)
    assert "being best" not in track_note(sure, sure.tracks[0])
    assert not any("best" in point.name for point in track_board(results, "classical").points)


def oftener(golden: Results) -> Results:
    shares = {"classical": 0.33, "hybrid": 0.43, "neural": 0.24}
    entries = tuple(
        replace(one, probability_best=shares.get(one.track, 0.0)) for one in golden.verdict.tracks
    )
    return replace(golden, verdict=replace(golden.verdict, probability_best=0.33, tracks=entries))


def test_a_leader_that_is_not_best_most_often_says_why_it_leads(golden: Results) -> None:
    why = "hybrid is best more often (43 %), classical earns more in the mean"
    results = oftener(golden)
    assert more_often(golden.verdict) == ""
    assert more_often(results.verdict) == why
    told = verdict_text(results)
    assert f"probability of being best: 33 %; {why}" in told
    assert f"{why[0].upper()}{why[1:]}." in told
    assert f"\n\nHybrid{why[6:]}." in report_note(results)
    for width in (80, 100):
        text = terminal_text(results, width)
        assert f"Hybrid{why[6:]}." in " ".join(text.split())
        assert max(map(len, text.splitlines())) <= width
    assert "best more often" not in terminal_text(golden)


def test_where_all_lose_the_leader_loses_less(golden: Results) -> None:
    results = oftener(golden)
    entries = tuple(
        replace(one, net_value_per_year=replace(one.net_value_per_year, estimate=-rank))
        for rank, one in enumerate(results.verdict.tracks)
    )
    losing = replace(results.verdict, tracks=entries)
    assert more_often(losing).endswith("classical loses less in the mean")
    assert more_often(replace(losing, best=None)) == ""
