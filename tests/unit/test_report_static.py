"""Figures as files: all that they say is there, the same bytes every time, and nothing is left out."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as ET

import matplotlib as mpl
import plotly.graph_objects as go
import pytest

from toolkit.analysis.results import Interval
from toolkit.report import axes, document, figures, looks, stills
from toolkit.report.curve_axes import cost_axes, error_axes
from toolkit.report.curve_figures import error_against_cost, picture_of, rule_steps
from toolkit.report.static_figures import render, save_static


@pytest.fixture
def curve(made_up_results: ModuleType) -> go.Figure:
    results = made_up_results.steep()
    error, cost = error_axes(results)[0], cost_axes(results)[0]
    found = picture_of(results, error, cost)
    assert found is not None
    return error_against_cost(results, error, cost, found)


def texts(svg: bytes) -> set[str]:
    root = ET.fromstring(svg)  # noqa: S314 (our own)
    return {"".join(one.itertext()).strip() for one in root.iter("{http://www.w3.org/2000/svg}text")}


def test_an_svg_says_what_the_figure_says(curve: go.Figure, tmp_path: Path) -> None:
    save_static(curve, tmp_path / "curve.svg", title="Log loss & <cost>")
    found = texts((tmp_path / "curve.svg").read_bytes())
    assert {"Log loss & <cost>", "classical", "neural", "rules (12)", "front", "forecast"} <= found
    assert {"Training CPU-seconds (log scale)", "Log loss (log scale)", "100", "0.05"} <= found
    assert "k⁴: 16 × to halve" in found
    assert {"●", "▲", "■"} <= found


def test_the_same_figure_gives_the_same_bytes(curve: go.Figure) -> None:
    first, second = (render(curve, ("png", "svg"), title="t") for _ in range(2))
    assert first == second
    assert b"<dc:date>" not in first["svg"]
    read_back = render(dict(curve.to_plotly_json()), ("svg",), title="t")
    assert read_back["svg"] == first["svg"]


def test_a_png_has_its_size_and_is_not_blank(curve: go.Figure, tmp_path: Path) -> None:
    save_static(curve, tmp_path / "curve.png")
    content = (tmp_path / "curve.png").read_bytes()
    width, height = struct.unpack(">II", content[16:24])
    assert width == 1440
    assert height == pytest.approx(1.6 * (curve.layout.height + 8), abs=1)
    assert len(content) > 20_000


def test_settings_of_the_user_change_nothing_and_are_left_alone(curve: go.Figure) -> None:
    plain = render(curve, ("svg",))
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 30}):
        assert render(curve, ("svg",)) == plain
        assert mpl.rcParams["font.size"] == 30


def test_matplotlib_is_loaded_by_who_draws_and_never_its_global_state() -> None:
    code = (
        "import sys; from toolkit.report import document; assert 'matplotlib' not in sys.modules; "
        "from toolkit.report import static_figures; assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_figure_of_the_report_can_be_drawn(
    made_up_results: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stills, "PREFIX", "")
    page = document.render(made_up_results.golden())
    drawn = {still.name: still for still in stills.draw_stills(page)}
    assert {"net-value", "energy-search", "curve-rules"} <= set(drawn)
    assert len(drawn) >= 15
    for still in drawn.values():
        assert still.title in texts(still.files["svg"])


def test_bars_are_stacked_from_where_the_last_one_ended() -> None:
    parts = [
        figures.Part("people", (2.0, 1.0), ("2", "1"), "#0072B2", "/"),
        figures.Part("machines", (1.0, 3.0), ("1", "3"), "#D55E00", "x"),
    ]
    svg = render(figures.stacked(["a", "b"], parts, "cost"), ("svg",))["svg"]
    assert {"people", "machines", "a", "b", "cost"} <= texts(svg)
    assert svg.count(b"<pattern") == 2


def test_names_that_look_like_tags_or_mathematics_are_plain_text(made_up_results: ModuleType) -> None:
    look = looks.looks(["classical"])["classical"]
    bar = figures.Bar("<b>$x_1$ & y</b>", Interval(1, 0, 2), "1", ("f",), look)
    assert "<b>$x_1$ & y</b>" in texts(render(figures.bars([bar], "x"), ("svg",))["svg"])


def test_a_sign_that_the_font_lacks_is_no_warning() -> None:
    look = looks.looks(["classical"])["classical"]
    bar = figures.Bar("品質 \U0001f600", Interval(1, 0, 2), "1", ("f",), look)
    assert set(render(figures.bars([bar], "x"), ("png", "svg"))) == {"png", "svg"}


def test_steps_are_steps(made_up_results: ModuleType) -> None:
    results = made_up_results.golden()
    figure = rule_steps(results, error_axes(results)[0])
    assert figure is not None
    assert "rules" in texts(render(figure, ("svg",))["svg"])


@pytest.mark.parametrize(
    ("trace", "words"),
    [
        (go.Pie(values=[1]), "type 'pie'"),
        (go.Scatter(x=[1], y=[1], mode="markers", marker={"symbol": "bowtie"}), "marker 'bowtie'"),
        (go.Scatter(x=[1], y=[1], mode="lines", line={"dash": "5%", "color": "red"}), "dash '5%'"),
        (go.Scatter(x=[1], y=[1], mode="text", text=["a"]), "only bands, lines and markers"),
        (go.Bar(x=[1], y=[1]), "type 'bar'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(trace: object, words: str) -> None:
    figure = axes.blank(300, "x")
    figure.add_trace(trace)
    with pytest.raises(ValueError, match=words):
        render(figure, ("png",))


def test_a_note_with_an_arrow_is_refused() -> None:
    figure = axes.blank(300, "x")
    figure.add_annotation(x=1, y=1, text="here")
    with pytest.raises(ValueError, match="without an arrow"):
        render(figure, ("png",))


def test_another_ending_is_refused(curve: go.Figure, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="as png or svg, not as pdf"):
        save_static(curve, tmp_path / "curve.pdf")
