from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from toolkit.amounts import Range
from toolkit.config import Experiment, Rung, load
from toolkit.errors import ConfigError
from toolkit.published.file import is_published
from toolkit.published.file import load as load_published

GOOD = """\
experiment: small
task: {name: synthetic}
ladder: {rungs: [{share: 0.1}, {share: 1.0}], seeds: 2}
tracks:
  baseline: {}
  classical:
economics:
  value: {true_positive: 1.5, false_positive: -1}
  volume_per_year: 5.0e9
"""


@pytest.fixture
def write(tmp_path):
    def write_file(text: str | bytes) -> Path:
        path = tmp_path / "small.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write_file


def message(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return str(caught.value).replace(str(path), "small.yaml")


def test_a_good_file_gives_its_values_and_the_defaults(write):
    path = write(GOOD)
    experiment = load(path)
    assert experiment.path == path
    assert experiment.task_name == "synthetic"
    assert experiment.task_params == {}
    assert experiment.tracks == {"baseline": {}, "classical": {}}
    assert experiment.ladder.rungs == (Rung(share=0.1), Rung(share=1.0))
    assert experiment.economics.volume_per_year == Range(low=5e9, likely=5e9, high=5e9)
    assert experiment.economics.value.true_negative.likely == 0
    assert experiment.engine.slots == 1


@pytest.mark.parametrize(
    "path", sorted(Path(__file__).parents[2].glob("experiments/*.yaml")), ids=lambda p: p.stem
)
def test_every_experiment_that_is_shipped_loads(path):
    read = load_published if is_published(path) else load
    assert read(path).experiment


def test_published_results_have_nothing_to_explain_or_predict():
    with pytest.raises(ConfigError, match=r"imagenet.yaml:\d+:1: this experiment holds published results"):
        load(Path(__file__).parents[2] / "experiments" / "imagenet.yaml")


@pytest.mark.parametrize(
    ("number", "value"),
    [("5.0e9", 5e9), ("5e9", 5e9), ("5.0e+9", 5e9), (".5e1", 5.0), ("5_000", 5e3), ("7", 7.0)],
)
def test_numbers_as_people_write_them(write, number, value):
    assert load(write(GOOD.replace("5.0e9", number))).economics.volume_per_year.likely == value


def test_a_ladder_may_count_labels_from_none(write):
    text = GOOD.replace("{share: 0.1}, {share: 1.0}", "{labels: 0, unlabelled: 500}, {labels: 80}")
    ladder = load(write(text)).ladder
    assert ladder.rungs == (Rung(labels=0, unlabelled=500), Rung(labels=80))
    assert ladder.counts_labels
    assert not load(write(GOOD)).ladder.counts_labels


def test_a_range_is_three_numbers_in_order(write):
    amount = load(write(GOOD.replace("5.0e9", "[1, 2, 4]"))).economics.volume_per_year
    assert (amount.low, amount.likely, amount.high) == (1, 2, 4)


def test_norway_is_not_false(write):
    assert load(write(GOOD + "  country: NO\n")).economics.country == "NO"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("ladder:", "lader:", "small.yaml:3:1: unknown key 'lader'; did you mean 'ladder'?"),
        (
            "share: 1.0",
            "shar: 1.0",
            "small.yaml:3:33: unknown key 'ladder.rungs.1.shar'; did you mean 'share'?",
        ),
        (
            "share: 1.0",
            "share: 0",
            "small.yaml:3:33: 'ladder.rungs.1.share': must be above 0 (got 0)",
        ),
        ("share: 1.0", "share: true", "'ladder.rungs.1.share': expected a number (got True)"),
        ("share: 1.0", "share: 0.1", "rungs rise: rung 1 must have a larger share or more cut-offs"),
        ("share: 1.0", "labels: 50", "a ladder counts in shares or in labels, but rung 1 counts otherwise"),
        ("share: 1.0", "share: 1.0, labels: 50", "a rung gives a share or a number of labels"),
        ("share: 1.0", "cutoffs: 2", "a rung gives a share or a number of labels"),
        (
            "share: 1.0",
            "labels: -1",
            "small.yaml:3:33: 'ladder.rungs.1.labels': must not be negative (got -1)",
        ),
        ("share: 1.0", "labels: 2.5", "'ladder.rungs.1.labels': expected a whole number (got 2.5)"),
        ("share: 1.0", "share: 1.0, unlabelled: -1", "'ladder.rungs.1.unlabelled': must"),
        (
            "[{share: 0.1}, {share: 1.0}]",
            "[{labels: 50}, {labels: 50}]",
            "rungs rise: rung 1 must have more labels than the one before",
        ),
        (
            "[{share: 0.1}, {share: 1.0}]",
            "[{labels: 50, cutoffs: 1}, {labels: 90}]",
            "rungs of labels have the same cutoffs, else they would not be nested: rung 1 has all, the one",
        ),
        ("[{share: 0.1}, {share: 1.0}]", "[]", "a ladder needs at least one rung"),
        (
            "seeds: 2",
            'seeds: "2"',
            "small.yaml:3:47: 'ladder.seeds': expected a whole number (got '2')",
        ),
        ("5.0e9", ".nan", "small.yaml:9:3: 'economics.volume_per_year': expected a finite number (got nan)"),
        ("5.0e9", "1e400", "expected a finite number (got inf)"),
        ("5.0e9", "-3", "'economics.volume_per_year': must not be negative (got -3)"),
        ("5.0e9", "true", "expected a number or [low, likely, high] (got True)"),
        ("5.0e9", "many", "expected a number or [low, likely, high] (got 'many')"),
        ("5.0e9", "[1, 2]", "a range is [low, likely, high], got 2 values"),
        ("5.0e9", "[3, 2, 1]", "a range is [low, likely, high] in rising order"),
        (
            "5.0e9",
            "[1, two, 3]",
            "'economics.volume_per_year.likely': expected a number (got 'two')",
        ),
        ("5.0e9", "[1, .inf, 3]", "'economics.volume_per_year.likely': expected a finite number"),
        ("  volume_per_year: 5.0e9\n", "", "small.yaml:7:1: key 'economics.volume_per_year' is missing"),
        (
            "  baseline: {}",
            "  baseline: 5",
            "small.yaml:5:3: 'tracks.baseline': expected a mapping (key: value) (got 5)",
        ),
        ("{name: synthetic}", "synthetic", "small.yaml:2:1: 'task': expected a mapping"),
        ("{name: synthetic}", "{nam: synthetic}", "task needs a name"),
        (
            "  classical:",
            "  classical 2:",
            "small.yaml:4:1: 'tracks': 'classical 2' cannot name a track: use letters, digits and _",
        ),
        ("  classical:", "  classical: {track: 5}", "track of classical is the name of a track"),
        (
            "experiment: small",
            "experiment: a b",
            "small.yaml:1:1: 'experiment': use letters, digits, - and _",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(write, old, new, sentence):
    assert old in GOOD
    assert sentence in message(write(GOOD.replace(old, new)))


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("experiment: again\n", "small.yaml:10:1: key 'experiment' stands twice in one mapping"),
        (
            "description: &a b\nother: *a\n",
            "small.yaml:10:14: YAML aliases (*name) and anchors (&name) are not",
        ),
        ("? [a]\n: b\n", "small.yaml:10:3: a key must be a plain word or number"),
        ("description: !!python/name:os.system\n", "small.yaml:10:14: YAML tags (!name) are not allowed"),
        ("---\nexperiment: b\n", "not valid YAML: but found another document"),
        (
            "description: " + 3000 * "[" + 3000 * "]" + "\n",
            "small.yaml:10:33: the file is nested more than 20 deep",
        ),
        (
            "  hours: {clasical: {build: 3}}\n",
            "small.yaml:10:11: hours are declared for 'clasical', which is not among",
        ),
        (
            "  hours: {classical: {bulid: 3}}\n",
            "unknown key 'economics.hours.classical.bulid'; did you mean 'build'?",
        ),
        ("  margin: -1\n", "'economics.margin': must not be negative (got -1)"),
        ("engine: {kind: ray}\n", "small.yaml:10:10: 'engine.kind': expected 'local' (got 'ray')"),
    ],
)
def test_a_wrong_addition_is_refused(write, more, sentence):
    assert sentence in message(write(GOOD + more))


OWN = "{usd_per_hour: 1, vcpus: 4, memory_gb: 16, idle_watts: 1, max_watts: 4}"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (
            "wage_per_hour: 60 USD",
            "'economics.wage_per_hour': expected a number or [low, likely, high]; without",
        ),
        ("wage_per_hour: 1,000", "without unit or separators, e.g. 1.10 or 5e9 (got '1,000')"),
        ("wage_per_hour: [60, 70, 1e300]", "expected at most 1e+20 in size (got [60, 70, 1e+300])"),
        ("currency: EUR", "with currency EUR give currency_per_usd too, what a US dollar costs"),
        (
            'currency: "a|b"',
            "a currency is its code, name or sign, such as USD, kr or €: letters, no spaces or dots, at most",
        ),
        ("currency: kr.", "'economics.currency': a currency is its code, name or sign"),
        ("currency: US D", "'economics.currency': a currency is its code, name or sign"),
        ("currency: usd\n  currency_per_usd: 2", "a US dollar costs 1 USD, got currency_per_usd: 2"),
        ('currency: " EUR"', "'economics.currency': a currency is its code, name or sign"),
        ("currency_per_usd: 0", "'economics.currency_per_usd': must be above zero (got 0)"),
        ("currency_per_usd: 1e300", "'economics.currency_per_usd': expected at most 1e+20 in size"),
        ("currency_per_usd: 1e-300", "'economics.currency_per_usd': expected at least 1e-09"),
        ("horizon_years: 0", "'economics.horizon_years': must be above zero (got 0)"),
        ("horizon_years: -3", "'economics.horizon_years': must be above zero (got -3)"),
        ("horizon_years: 1e-300", "'economics.horizon_years': expected at least 1e-09"),
        ("horizon_years: 3 years", "'economics.horizon_years': expected a number (got '3 years')"),
        ("margin: 1e300", "'economics.margin': expected at most 1e+20 in size (got 1e+300)"),
        ("pue: 0.9", "'economics.pue': must be at least 1 (got 0.9)"),
        ("pue: 1e300", "'economics.pue': must be at most 10 (got 1e+300)"),
        ("always_on_vcpus: 1e300", "'economics.always_on_vcpus': expected at most 1e+20 in size"),
        (
            f"own_hardware: {OWN.replace('4,', '4000000000000,', 1)}",
            "'economics.own_hardware.vcpus': must be at most 100000",
        ),
        (f"own_hardware: {OWN.replace('16', '0')}", "'economics.own_hardware.memory_gb': must be above zero"),
        (
            f"own_hardware: {OWN.replace('hour: 1', 'hour: -1')}",
            "'economics.own_hardware.usd_per_hour': must not be negative",
        ),
    ],
)
def test_economics_that_cannot_be_are_refused_with_their_line(write, more, sentence):
    text = message(write(f"{GOOD}  {more}\n"))
    assert text.startswith(("small.yaml:10:", "small.yaml:7:1: 'economics'"))
    assert sentence in text


@pytest.mark.parametrize(
    ("source", "column", "sentence"),
    [
        (
            "wage_per_hou: x",
            13,
            "unknown key 'economics.sources.wage_per_hou'; did you mean 'wage_per_hour'?",
        ),
        ("value.true_positve: x", 13, "did you mean 'value.true_positive'?"),
        ("hours.clasical: x", 13, "did you mean 'hours.classical'?"),
        (
            "wage_per_hour: x",
            13,
            "a source for 'wage_per_hour', which the economics do not give; give it, or",
        ),
        ("value.true_negative: x", 13, "a source for 'value.true_negative', which the economics do not give"),
        ("sources: x", 13, "unknown key 'economics.sources.sources'"),
        ("value: {true_positive: x}", 13, "has a dotted key, e.g. value.true_positive"),
        ("value: {sorce: x}", 13, "expected a text, or {source: …, date: 2024-05, basis: published}"),
        (
            "value: {source: x, bassis: assumed}",
            32,
            "'economics.sources.value.bassis'; did you mean 'basis'?",
        ),
        ("value: {source: x, basis: published}", 13, "what is published has a date, e.g. date: 2024-05"),
        ("value: {source: x, date: May}", 32, "a date is a year, a month or a day"),
        (f"value: {'x' * 501}", 13, "has 501 characters, at most 500 are allowed"),
        ("value: null", 13, "expected a text"),
    ],
)
def test_a_wrong_source_is_refused_with_its_line(write, source, column, sentence):
    text = message(write(f"{GOOD}  sources: {{{source}}}\n"))
    assert text.startswith(f"small.yaml:10:{column}: ")
    assert sentence in text


def test_the_us_dollar_is_one_however_it_is_typed(write):
    assert load(write(f"{GOOD}  currency: usd\n")).economics.currency == "USD"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is a mapping with the keys experiment, task, ladder, tracks and economics"),
        (b"hello", "is a mapping with the keys"),
        (b"a:\n\t- b", "small.yaml:2:1: not valid YAML: found character"),
        (b"a: \xe9", "the file is not UTF-8 text (byte 3)"),
        (b"a" * 1_000_001, "the file has 1,000,001 bytes; an experiment file has at most 1,000,000"),
    ],
)
def test_what_is_no_experiment_at_all(write, content, sentence):
    assert sentence in message(write(content))


def test_a_knowledge_base_is_no_experiment(write):
    text = message(write("knowledge_base: demo\nprior: 5 %\nrules: []\n"))
    assert text.startswith("small.yaml:1:1: this is a knowledge base, not an experiment; ")
    assert "\n" not in text


def test_a_missing_file_and_a_folder_say_what_to_give(tmp_path):
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(ConfigError, match="give the path of a YAML file"):
            load(path)


def test_all_mistakes_of_a_file_are_told_at_once(write):
    text = message(write(GOOD.replace("seeds: 2", "seeds: 0").replace("5.0e9", "-1")))
    assert "'ladder.seeds'" in text
    assert "'economics.volume_per_year'" in text


def test_lines_are_known_for_parameters_of_plugins(write):
    path = write(GOOD)
    experiment = load(path)
    assert experiment.where("tracks", "classical") == f"{path}:6:3"
    assert experiment.where("tracks", "classical", "no", "such") == f"{path}:6:3"
    assert experiment.where("ladder", "rungs", 1, "share") == f"{path}:3:33"


def test_an_experiment_is_frozen(write):
    experiment = load(write(GOOD))
    with pytest.raises(ValidationError):
        experiment.search = 2.0


def test_plain_data_reads_back_as_the_same_experiment(write):
    experiment = load(write(GOOD))
    assert Experiment.model_validate(experiment.model_dump()).model_dump() == experiment.model_dump()
    assert (
        Experiment.model_validate_json(experiment.model_dump_json()).model_dump() == experiment.model_dump()
    )


def test_a_track_may_stand_twice_under_names_of_its_own(write):
    again = GOOD.replace("  classical:\n", "  classical:\n  boosted: {track: classical, family: boosting}\n")
    experiment = load(write(again))
    assert [experiment.plugin(name) for name in experiment.tracks] == ["baseline", "classical", "classical"]
    assert experiment.track_params("boosted") == {"family": "boosting"}
    assert experiment.track_params("classical") == {}
    assert experiment.plugin("not in the file") == "not in the file"
