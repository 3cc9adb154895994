"""Tables in CSV: what is read, and what a mistake is told as."""

from __future__ import annotations

import pytest

from toolkit.errors import DataError
from toolkit.published.table import read_table


def refusal(path, **options) -> str:
    with pytest.raises(DataError) as caught:
        read_table(path, {"compute": "compute"}, **options)
    return str(caught.value).replace(str(path), "results.csv")


def test_rows_have_their_values_and_empty_lines_count_for_nothing(write):
    path = write('name,year,compute,error\n"A, large",2020,1e18,0.25\n\n B ,2021.5, 2e18 ,0.2\n')
    first, second = read_table(path, {"compute": "compute"}).observations
    assert (first.name, first.year, first.compute, first.error) == (
        "A, large",
        2020.0,
        {"compute": 1e18},
        0.25,
    )
    assert (second.name, second.year) == ("B", 2021.5)


def test_a_table_needs_no_names_and_no_years(write):
    (one,) = read_table(write("error,compute\n0.5,3\n"), {"compute": "compute"}).observations
    assert (one.name, one.year) == ("line 2", None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("compute,eror\n1,.5\n", "csv:1: there is no column 'error' in the line of names; did you mean 'ero"),
        ("error\n.5\n", "results.csv:1: there is no column 'compute' in the line of names; known: error"),
        ("compute,error\n1,.5\nmany,.4\n", "csv:3: column 'compute': 'many' is not a number; leave"),
        ("compute,error\n1,.5\n\n1e18 FLOP,.4\n", "csv:4: column 'compute': '1e18 FLOP' is not a number"),
        ('compute,error\n"2,5",.4\n', "with a decimal point and no other sign or unit"),
        ("compute,error\n1_000,.4\n", "'1_000' is not a number"),
        ("compute,error\ninf,.4\n", "'inf' is not a number"),
        ("compute,error\n0,.4\n", "csv:2: column 'compute': 0 is not above 0, so it has no log"),
        ("compute,error\n5,-.4\n", "results.csv:2: column 'error': -.4 is not above 0"),
        ("compute,error\n5,23.4\n", "no share between 0 and 1. A percentage is divided by 100 (23.4 %"),
        ("compute,error\n5,.4,x\n", "results.csv:2: 3 cells, but the line of names has 2; put a text"),
        ("compute,error\n5\n", "results.csv:2: 1 cell, but the line of names has 2"),
        ("compute;error\n5;.4\n", "columns are separated by commas here"),
        ("compute,compute\n5,.4\n", "two columns are named 'compute'; rename one"),
        ("", "results.csv:1: the first line must name the columns"),
        ("\n\n", "results.csv:1: the first line must name the columns"),
        ("\n \ncompute,eror\n1,.5\n", "csv:3: there is no column 'error' in the line of names; did you"),
        ("compute,error\n1,5,0,4\n", "4 cells, but the line of names has 2; put a text that holds a comma"),
        ('compute,error\n"1,000",.4\n', "'1,000' is not a number; write numbers with a decimal point"),
        ("compute,error\n5,12%\n", "'12%' is not a number"),
        ("compute,error\nNA,.4\n", "'NA' is not a number; leave the cell empty"),
        ("compute\terror\n5\t.4\n", "columns are separated by commas here"),
        ('compute,error\n"5,.4\n', "not valid CSV"),
    ],
)  # fmt: skip
def test_mistakes_name_line_and_column_and_what_to_do(write, text, told):
    assert told in refusal(write(text))


@pytest.mark.parametrize(
    "text",
    [
        "\n\n  \ncompute,error\n1,.5\n2,.4\n",
        ",,\ncompute,error,\n1,.5,\n2,.4,\n",
        "compute,error,,\n1,.5,,\n2,.4,,\n,,,\n",
        "\ufeffcompute,error\n1,.5\n2,.4\n\n\n",
        "\ufeff\ncompute,error\r\n1,.5\r\n2,.4\r\n",
        '"compute","error"\n"1",".5"\n"2",".4"\n',
    ],
)
def test_what_spreadsheets_put_around_a_table_counts_for_nothing(write, text):
    table = read_table(write(text), {"compute": "compute"})
    assert [(one.compute["compute"], one.error) for one in table.observations] == [(1, 0.5), (2, 0.4)]
    assert table.left_out == ()


def test_a_column_without_a_name_is_told_where_it_holds_something(write):
    table = read_table(write("\n,compute,error\n0,1,.5\n1,2,.4\n"), {"compute": "compute"})
    assert table.left_out == ("columns that are not used: column 1 without a name",)
    assert table.observations[0].name == "line 3"


def test_a_file_that_is_not_there_or_not_text(tmp_path):
    assert "cannot read the table (No such file or directory)" in refusal(tmp_path / "none.csv")
    path = tmp_path / "results.csv"
    path.write_bytes(b"compute,error\n1,\xff\n")
    assert "not UTF-8 text (byte 16)" in refusal(path)


def test_percentages_and_losses_are_told_by_their_scale(write):
    path = write("compute,error\n5,23.4\n")
    assert read_table(path, {"compute": "compute"}, scale="percent").observations[0].error == pytest.approx(
        0.234
    )
    assert read_table(path, {"compute": "compute"}, scale="loss").observations[0].error == 23.4
    assert "101 is above 100 %" in refusal(write("compute,error\n5,101\n"), scale="percent")


@pytest.mark.parametrize(("scale", "errors"), [("percent", (0.4, 0.3, 1)), ("percent", (0.004,))])
def test_shares_on_the_scale_percent_are_doubted(write, scale, errors):
    path = write("compute,error\n" + "".join(f"{i + 1},{error}\n" for i, error in enumerate(errors)))
    table = read_table(path, {"compute": "compute"}, scale=scale)
    (doubt,) = table.doubts
    assert doubt.startswith("on the scale 'percent' every error is at most 1 %")
    assert "name the scale 'share' (--scale share; error_scale in a file)" in doubt
    assert len(table.observations) == len(errors)


@pytest.mark.parametrize(("scale", "error"), [("share", 0.4), ("loss", 0.4), ("percent", 1.5)])
def test_other_scales_are_not_doubted(write, scale, error):
    path = write(f"compute,error\n1,{error}\n2,0.2\n")
    assert read_table(path, {"compute": "compute"}, scale=scale).doubts == ()


def test_what_is_not_used_is_told(write):
    table = read_table(write("compute,error,host\n1,.5,a\n2,,a\n,.3,b\n,.2,b\n"), {"compute": "compute"})
    assert [one.error for one in table.observations] == [0.5, 0.3, 0.2]
    assert table.left_out == (
        "1 row has no 'error' and is left out: line 3",
        "2 rows have no 'compute' and are left out: line 4, 5",
        "columns that are not used: host",
    )


def test_several_measures_may_each_be_missing(write):
    text = "a,b,error,b_source\n1,,.5,\n,2,.4,smith2020\n"
    first, second = read_table(write(text), {"one": "a", "two": "b"}).observations
    assert (first.compute, second.compute) == ({"one": 1.0}, {"two": 2.0})
    assert second.sources == {"two": "smith2020"}
