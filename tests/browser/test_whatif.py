"""The sliders of the report, moved in a real browser and held against the analysis under other economics."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from toolkit.analysis.analyse import analyse
from toolkit.analysis.results import Results
from toolkit.analysis.whatif.flips import stay_ask
from toolkit.analysis.whatif.levers import HIT, VOLUME, levers_of
from toolkit.analysis.whatif.words import change_sentence
from toolkit.config import Constraints
from toolkit.report import document
from toolkit.report.map_figures import codes

pytestmark = pytest.mark.browser

Open = Callable[..., Any]
TRACKS = ("rules", "classical", "neural", "hybrid")
CLOSE = 1e-6
OWN = {
    "title": "a machine of our own",
    "usd_per_hour": 0.4,
    "vcpus": 8,
    "memory_gb": 32,
    "idle_watts": [1, 2, 3],
    "max_watts": [4, 6, 9],
}
# economics, and under "constraints" those of the experiment
BUSINESSES: dict[str, dict[str, Any]] = {
    "ranges": {
        "value": {"true_positive": [1.0, 2.0, 4.0], "false_positive": [-0.9, -0.6, -0.5]},
        "volume_per_year": [2e5, 6e5, 1e6],
        "retrains_per_year": [6, 12, 24],
        "wage_per_hour": [40, 60, 90],
        "carbon_price_per_tonne": [20, 80, 200],
        "own_hardware": OWN,
        "hours": {
            "rules": {"features": [8, 10, 20], "rules": [16, 30, 60], "per_year": [24, 48, 96]},
            "classical": {"build": [40, 80, 160], "per_year": [40, 80, 160]},
            "neural": {"build": [80, 160, 320], "per_year": 160},
            "hybrid": {"build": 200, "per_year": [100, 200, 400]},
        },
    },
    "one at a time": {
        "value": {
            "true_positive": 3.0,
            "false_positive": -0.4,
            "false_negative": -0.5,
            "true_negative": 0.01,
        },
        "volume_per_year": 4e5,
        "serving": "single",
        "always_on_vcpus": 2.0,
        "price_per_label": [0.1, 0.2, 0.4],
        "margin": 2000.0,
        "speed": [0.5, 1.0, 2.0],
        "search_each_retrain": True,
    },
    "on accelerators": {
        "value": {"true_positive": 0.5, "false_positive": -0.2},
        "volume_per_year": 1e6,
        "hardware": "google-a2-highgpu-1g",
        "currency": "EUR",
        "currency_per_usd": 0.9,
        "carbon_price_per_tonne": 80,
        "retrains_per_year": 52,
    },
    "no nets": {
        "value": {"true_positive": 2.0, "false_positive": -0.6},
        "volume_per_year": [2e5, 6e5, 1e6],
        "constraints": {"latency_ms": 2.0},
    },
}
MOVES: dict[str, list[dict[str, float]]] = {
    "ranges": [
        {HIT: 0.8},
        {HIT: 9.5, VOLUME: 3e4, "wage_per_hour": 25.0},
        {VOLUME: 4e7, "hardware": 0.4, "carbon_price_per_tonne": 900.0, "retrains_per_year": 300.0},
        {"carbon_price_per_tonne": 0.0, "retrains_per_year": 1.0},
    ],
    "one at a time": [
        {HIT: 0.4},
        {VOLUME: 3e7, "wage_per_hour": 200.0, "carbon_price_per_tonne": 300.0},
        {VOLUME: 60.0},
    ],
    "on accelerators": [
        {HIT: 2.0, VOLUME: 2e4},
        {"retrains_per_year": 2.0, "carbon_price_per_tonne": 1000.0},
    ],
    "no nets": [{HIT: 0.3}, {VOLUME: 2e4}],
}


def _declare(worlds: ModuleType, economics: dict[str, Any]) -> Any:
    declared = deepcopy(economics)
    limits = Constraints.model_validate(declared.pop("constraints", {}))
    return worlds.declare(list(TRACKS), **declared).model_copy(update={"constraints": limits})


def _world(worlds: ModuleType) -> Any:
    net = {
        "cost_fit_flop": 3e12,
        "cost_predict_single_cpu_seconds": 4e-3,
        "cost_predict_single_p50_seconds": 4e-3,
    }
    cells, evidence = worlds.draw(
        {
            "rules": worlds.Truth(0.55, cpu_seconds=0.001),
            "classical": worlds.Truth(0.8, gain=0.3, cpu_seconds=0.5),
            "neural": worlds.Truth(0.83, gain=0.5, cpu_seconds=30.0, costs=net),
            "hybrid": worlds.Truth(0.83, gain=0.4, cpu_seconds=40.0, costs=net),
        },
        rungs=4,
        rows=20,
    )
    chosen = {"neural": {"steps": 400}, "hybrid": {"steps": 500}}
    return [one.model_copy(update={"chosen": chosen.get(one.track, {})}) for one in cells], evidence


def _analysed(worlds: ModuleType, economics: dict[str, Any]) -> Results:
    cells, evidence = _world(worlds)
    task = {"name": "made_up", "title": "made-up customers"}
    return analyse(_declare(worlds, economics), task=task, cells=cells, evidence=evidence)


def _moved(economics: dict[str, Any], moves: dict[str, float], worlds: ModuleType) -> dict[str, Any]:
    """Return economics where likely values are as the sliders say and ranges have moved in proportion."""
    changed = deepcopy(economics)
    declared = _declare(worlds, economics).economics
    for key, amount in moves.items():
        if key == "hardware":
            changed["own_hardware"]["usd_per_hour"] = amount * OWN["vcpus"]
            continue
        owner, name = (changed["value"], "true_positive") if key == HIT else (changed, key)
        now = declared.value.true_positive if key == HIT else getattr(declared, key)
        factor = amount / now.likely if now.likely else None
        owner[name] = amount if factor is None else [end * factor for end in (now.low, now.likely, now.high)]
    return changed


@contextmanager
def _shown(visit: Open, results: Results, folder: Path) -> Iterator[Any]:
    document.write(results, folder)
    seen = visit((folder / "report.html").as_uri(), width=1200, height=1000)
    seen.page.wait_for_selector("#whatif-board[data-done]")
    yield seen.page
    assert seen.complaints == []
    assert [url for url in seen.requests if not url.startswith(("file:", "data:", "blob:"))] == []


def _set(page: Any, moves: dict[str, float]) -> None:
    for key, amount in moves.items():
        page.fill(f'input[data-key="{key}"]', repr(amount))
    page.wait_for_function(
        """(moves) => {
          const done = JSON.parse(document.getElementById("whatif-board").dataset.done);
          return Object.entries(moves).every(([key, amount]) => done[key] === amount);
        }""",
        arg=moves,
    )


def _figures(page: Any) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("tr[data-track]")].map((row) => [
          row.dataset.track,
          Object.fromEntries([...row.querySelectorAll("td")].map(
            (one) => [one.dataset.of, Number(one.dataset.value)])),
        ]))"""
    )
    return found


def _check(page: Any, expected: Results) -> None:
    shown, verdict = _figures(page), expected.verdict
    largest = max(abs(entry.gross_value_per_year) for entry in verdict.tracks)
    for entry in (one for one in verdict.tracks if not one.excluded):
        own, net = shown[entry.track], entry.net_value_per_year
        assert own["rung"] == entry.rung
        assert own["net"] == pytest.approx(net.estimate, rel=CLOSE)
        assert own["low"] == pytest.approx(net.low, rel=CLOSE, abs=CLOSE * largest)
        assert own["high"] == pytest.approx(net.high, rel=CLOSE, abs=CLOSE * largest)
        assert own["best"] == pytest.approx(entry.probability_best, abs=CLOSE)
        assert own["regret"] == pytest.approx(entry.regret_per_year, rel=CLOSE, abs=CLOSE * largest)
    assert expected.sensitivity is not None
    said = verdict.sentence.removesuffix(change_sentence(expected.sensitivity)).strip()
    assert page.inner_text("[data-sentence]") == said
    hybrid = page.get_attribute("[data-hybrid]", "data-value")
    assert (float(hybrid) if hybrid else None) == pytest.approx(
        verdict.probability_hybrid_worth_it, abs=CLOSE
    )


def test_an_excluded_net_is_no_option_on_the_page_too(worlds: ModuleType) -> None:
    found = _analysed(worlds, BUSINESSES["no nets"])
    assert [one.track for one in found.verdict.tracks if one.excluded] == ["neural", "hybrid"]
    assert "Deep learning is no option here: neural is excluded, as" in found.verdict.sentence


def _map(page: Any) -> Any:
    return page.evaluate('() => JSON.parse(document.getElementById("whatif-map-data").textContent).data[0].z')


@pytest.mark.parametrize("business", BUSINESSES)
def test_sliders_show_what_the_analysis_says_under_other_economics(
    business: str, visit: Open, worlds: ModuleType, tmp_path: Path, picture: Callable[..., Path]
) -> None:
    economics = BUSINESSES[business]
    declared = _analysed(worlds, economics)
    with _shown(visit, declared, tmp_path) as page:
        _check(page, declared)
        for moves in MOVES[business]:
            page.click("[data-reset]")
            _set(page, moves)
            _check(page, _analysed(worlds, _moved(economics, moves, worlds)))
        page.locator("#whatif").scroll_into_view_if_needed()
        picture(page, f"what-if-{business.replace(' ', '-')}")


def test_the_map_is_painted_as_the_analysis_says(visit: Open, worlds: ModuleType, tmp_path: Path) -> None:
    economics = BUSINESSES["ranges"]
    declared = _analysed(worlds, economics)
    assert declared.sensitivity is not None
    region = declared.sensitivity.region
    assert region is not None
    with _shown(visit, declared, tmp_path) as page:
        painted = _map(page)
        assert painted == codes(region, TRACKS)
        assert len({number for row in painted for number in row}) > 3
        moves = {"wage_per_hour": 500.0, "retrains_per_year": 100.0}
        _set(page, moves)
        other = _analysed(worlds, _moved(economics, moves, worlds)).sheet
        assert other is not None
        levers = {lever.key: lever for lever in levers_of(other.inputs, other.book)}
        money, again = other.book.money, _map(page)
        stays = stay_ask(other.book.stand(money).best, None)
        assert again != painted
        for row in range(0, len(region.hits), 5):
            for column in range(0, len(region.volumes), 6):
                here = levers[VOLUME].at(money, region.volumes[column])
                standing = other.book.stand(levers[HIT].at(here, region.hits[row]))
                used = stays(standing)
                nets = sorted(standing.net.values())
                tie = used != standing.best or nets[-1] - nets[-2] <= standing.margin(None)
                expected = 1 + 2 * TRACKS.index(used) + tie if used else 0
                assert again[row][column] == expected, (region.hits[row], region.volumes[column])


def test_sliders_are_moved_by_keys_and_go_back(visit: Open, worlds: ModuleType, tmp_path: Path) -> None:
    declared = _analysed(worlds, BUSINESSES["ranges"])
    with _shown(visit, declared, tmp_path) as page:
        before = _figures(page)
        slide = page.get_by_role("slider", name="value of a hit, USD")
        slide.focus()
        for _ in range(40):
            page.keyboard.press("ArrowRight")
        field = page.get_by_label("value of a hit USD", exact=True)
        assert float(field.input_value()) > 2.2
        page.wait_for_function(
            "() => document.querySelector('[data-state]').textContent === 'By the sliders'"
        )
        page.wait_for_function(
            "(value) => document.getElementById('whatif-board').dataset.done.includes(value)",
            arg=f'"{HIT}":{field.input_value()},',
        )
        assert _figures(page)["neural"]["net"] > before["neural"]["net"]
        page.get_by_role("button", name="Back to what was declared").click()
        page.wait_for_function("() => document.querySelector('[data-state]').textContent === 'As declared'")
        assert _figures(page) == before


def test_around_break_even_the_page_says_what_the_analysis_says(
    visit: Open, worlds: ModuleType, tmp_path: Path
) -> None:
    economics = BUSINESSES["ranges"]
    declared = _analysed(worlds, economics)
    assert declared.sensitivity is not None
    first = declared.sensitivity.volume[0]
    assert first.best == ""
    starts = set()
    with _shown(visit, declared, tmp_path) as page:
        for factor in (0.3, 0.97, 1.05, 4.0):
            moves = {VOLUME: float(f"{first.high * factor:.3g}")}
            expected = _analysed(worlds, _moved(economics, moves, worlds))
            _set(page, moves)
            _check(page, expected)
            starts.add(" ".join(expected.verdict.sentence.split()[:3]))
    assert len(starts) > 1


def test_both_ends_of_every_slider_are_within_reach(visit: Open, worlds: ModuleType, tmp_path: Path) -> None:
    with _shown(visit, _analysed(worlds, BUSINESSES["ranges"]), tmp_path) as page:
        slides = page.get_by_role("slider").all()
        assert len(slides) == 6
        for slide in slides:
            for key in ("Home", "End"):
                slide.focus()
                page.keyboard.press(key)
                page.wait_for_function("() => document.querySelector('[data-state]').textContent[0] === 'B'")
                assert page.locator('input[aria-invalid="true"]').count() == 0
                assert "not computed" not in (slide.get_attribute("aria-valuetext") or "")
                page.get_by_role("button", name="Back to what was declared").click()
                page.wait_for_function(
                    "() => document.querySelector('[data-state]').textContent === 'As declared'"
                )


def test_paper_shows_what_was_declared(visit: Open, worlds: ModuleType, tmp_path: Path) -> None:
    with _shown(visit, _analysed(worlds, BUSINESSES["ranges"]), tmp_path) as page:
        before = _figures(page)
        _set(page, {HIT: 5.0})
        moved = _figures(page)
        assert moved != before
        page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
        assert _figures(page) == before
        assert page.inner_text("[data-state]") == "As declared"
        assert "as declared" in page.inner_text("#whatif-map")
        page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
        assert _figures(page) == moved
        page.fill(f'input[data-key="{HIT}"]', "")
        page.wait_for_selector(f'input[data-key="{HIT}"][aria-invalid="true"]')
        page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
        assert _figures(page) == before
        page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
        assert _figures(page) == moved
        assert page.input_value(f'input[data-key="{HIT}"]') == ""


def test_what_is_no_amount_is_marked_and_changes_nothing(
    visit: Open, worlds: ModuleType, tmp_path: Path
) -> None:
    with _shown(visit, _analysed(worlds, BUSINESSES["ranges"]), tmp_path) as page:
        before = _figures(page)
        field = page.locator(f'input[data-key="{VOLUME}"]')
        for text in ("", "-5", "0", "1e18"):
            field.fill(text)
            page.wait_for_selector(f'input[data-key="{VOLUME}"][aria-invalid="true"]')
            assert _figures(page) == before
            said = "a field holds no number" if text == "" else "an amount is out of reach here"
            assert page.inner_text("[data-state]").startswith(f"Not computed: {said}")
            assert page.get_by_role("slider", name="decisions").get_attribute("aria-valuetext") == (
                "not computed; from 60 to 60 million a year"
            )
            assert page.get_by_text("decisions: from 60 to 60 million").count() == 1
        page.get_by_role("button", name="Back to what was declared").click()
        page.wait_for_selector(f'input[data-key="{VOLUME}"][aria-invalid="false"]')
        assert page.inner_text("[data-state]") == "As declared"


def test_a_report_with_sliders_is_one_file_of_under_eight_megabytes(
    worlds: ModuleType, tmp_path: Path
) -> None:
    paths = document.write(_analysed(worlds, BUSINESSES["ranges"]), tmp_path)
    text = paths.html.read_text()
    assert len(text.encode()) < 8e6
    assert json.loads(paths.json.read_text())["verdict"]["best"]
    assert "http://" not in text.split("</script>")[-1]
