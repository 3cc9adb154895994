"""The experiment file of published results: names that are checked, and places that are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.analysis.published.claims import judge
from toolkit.errors import ConfigError, DataError, UserError
from toolkit.publish import analysed
from toolkit.published.file import is_published, load

GOOD = """\
experiment: small
published:
  table: table.csv
  title: A table
  measures:
    flop: {title: Compute, column: flop}
targets: [0.1]
prices: {measure: flop, units_per_usd: 1.0e17, source: rates}
claims:
  - {says: It falls, power: 4, source: article}
sources: {rates: A price list, article: An article, paper: A paper}
"""
TABLE = """\
name,year,flop,flop_source,error,error_source,processors,peak_gflops,days
A,2012,1e17,paper,0.4,paper,2,100,3
B,2014,1e18,paper,0.3,paper,,,
C,2018,1e20,paper article,0.2,paper,20,100,6
"""


@pytest.fixture
def write(tmp_path):
    def write_files(text: str = GOOD, table: str = TABLE) -> Path:
        (tmp_path / "table.csv").write_text(table, encoding="utf-8")
        path = tmp_path / "small.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_files


def refusal(path: Path) -> str:
    def read() -> None:
        experiment = load(path)
        analysed(experiment, experiment.read_table())

    with pytest.raises(UserError) as caught:
        read()
    return str(caught.value).replace(f"{path.parent}/", "")


def test_a_good_file_and_its_table(write):
    path = write()
    assert is_published(path)
    experiment = load(path)
    assert [one.key for one in experiment.measures] == ["flop"]
    assert experiment.rates[0].per_unit == pytest.approx(1e-17)
    table = experiment.read_table()
    assert [one.name for one in table.observations] == ["A", "B", "C"]
    assert table.observations[2].sources == {"error": "paper", "flop": "paper article"}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("targets:", "target:", "small.yaml:7:1: unknown key 'target'; did you mean 'targets'?"),
        ("[0.1]", "[0]", "small.yaml:7:11: 'targets.0'"),
        ("measure: flop", "measure: flops", "small.yaml:8:10: there is no measure 'flops'; did you mean"),
        ("source: rates", "source: rate", "there is no source 'rate'; did you mean 'rates'?"),
        ("source: article}", "source: articl}", "small.yaml:10:32: there is no source 'articl'"),
        ("power: 4", "usd: 4", "compute, usd and kg_co2 are those of a target"),
        ("{rates: A", "{two words: A", "the key of a source is one word, got 'two words'"),
        ("column: flop", "column: flo", "table.csv:1: there is no column 'flo' in the line of names"),
        ("table: table.csv", "table: tabel.csv", "tabel.csv: cannot read the table"),
        ("claims:", "decomposition: {before: A, after: B, says: x, source: paper}\nclaims:",
         "table.csv: 'B' is to be taken apart (decomposition of small.yaml), and its row has no peak"),
        ("claims:", "decomposition: {before: A, after: CC, says: x, source: paper}\nclaims:",
         "small.yaml:9:28: there is no row named 'CC' in table.csv; did you mean 'C'?"),
        ("[0.1]", "[0.1, 5]", "small.yaml:7:16: an error is under 1 on the scale 'share', got 5; 5 % is"),
        ("[0.1]", "[1]", "small.yaml:7:11: an error is under 1 on the scale 'share', got 1; 1 % is 0.01"),
        ("power: 4", "target: 7, compute: 4", "small.yaml:10:22: an error is under 1 on the scale 'share'"),
    ],
)  # fmt: skip
def test_mistakes_in_the_file_name_the_place(write, before, after, told):
    assert told in refusal(write(GOOD.replace(before, after, 1)))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("1e18,paper", "1e18,papre", "'B' cites 'papre', which is not among the sources of small.yaml"),
        ("1e18,paper", "1e18,", "'B' has no source of its flop"),
        ("0.3,paper", "0.3,", "'B' has no source of its error"),
        ("\nB,", "\nA,", "two rows are named 'A'"),
        ("\nC,2018,1e20,paper article,0.2,paper,20,100,6", "", "Compute: 2 results of different compute"),
    ],
)  # fmt: skip
def test_mistakes_in_the_table_name_the_row(write, before, after, told):
    assert told in refusal(write(table=TABLE.replace(before, after, 1)))


def test_other_files_are_not_published_results(tmp_path, write):
    assert not is_published(tmp_path / "none.yaml")
    other = tmp_path / "other.yaml"
    other.write_text("experiment: x\ntask: {name: synthetic}\n")
    assert not is_published(other)
    with pytest.raises((ConfigError, DataError)):
        load(other)


def test_targets_are_on_the_scale_of_the_table(write):
    table = TABLE.replace(",0.4,", ",40,").replace(",0.3,", ",30,").replace(",0.2,", ",20,")
    text = GOOD.replace("title: A table", "title: A table\n  error_scale: percent", 1)
    text = text.replace("power: 4", "target: 10, compute: 4", 1).replace("[0.1]", "[10, 10]", 1)
    experiment = load(write(text, table))
    published = analysed(experiment, experiment.read_table())
    assert [one.target for one in published.studies[0].forecasts] == [pytest.approx(0.1)]
    (claim,) = judge(published, published.studies[0])
    assert (claim.figure, claim.verdict) == ("compute", "below")
    over = GOOD.replace("title: A table", "title: A table\n  error_scale: percent", 1).replace(
        "[0.1]", "[100]"
    )
    assert "an error is under 100 on the scale 'percent', got 100" in refusal(write(over, table))
    loss = GOOD.replace("title: A table", "title: A table\n  error_scale: loss", 1).replace("[0.1]", "[5]")
    assert load(write(loss, table)).targets == (5,)


def test_a_family_is_of_one_set_of_training_data(write):
    rows = TABLE.replace("days\n", "days,family,extra_data\n").replace(",3\n", ",3,Net,\n")
    rows = rows.replace(",,,\n", ",,,,Net,JFT\n").replace(",6\n", ",6,,JFT\n")
    assert refusal(write(table=rows)).startswith(
        "table.csv: the family 'Net' mixes training data: 'A' has no extra_data and 'B' has the extra_data "
        "'JFT'"
    )
    assert load(write(table=rows.replace(",Net,\n", ",Net,JFT\n"))).read_table().observations
