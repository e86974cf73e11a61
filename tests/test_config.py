"""params.yaml and pipelines.yaml: what is refused, in which words, and what a stage depends on."""

import json
from pathlib import Path

import pytest
import tiny
from pydantic import ValidationError

from hdm.config import STAGES, check_line_name, load_params, load_pipelines, merge, stage_settings
from hdm.errors import ConfigError
from hdm.line import Line
from hdm.settings import Params

PROJECT = Path(__file__).parents[1]


def refusal(tmp_path, params=None, line=None, text=None):
    """The sentence with which loading the line `plate` is refused."""
    tiny.write_project(tmp_path, params, line)
    if text is not None:
        (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        Line.load("plate", tmp_path)
    message = str(error.value)
    assert "\n" not in message and "pydantic" not in message
    return message


def overridden(**keys):
    return {"overrides": keys}


@pytest.mark.parametrize(("params", "expected"), [
    ({"sed": 1}, "params.yaml: unknown key 'sed'; did you mean 'seed'?"),
    ({"dagm_sintesize": {}}, "did you mean 'dagm_synthesize'?"),
    ({"validat": {}}, "did you mean 'validate'?"),
    ({"validate_": {}}, "did you mean 'validate'?"),
    ({"dagm_fit": {"trainin": {}}}, "'dagm_fit.trainin'; did you mean 'training'?"),
    ({"dagm_fit": {"training": {"step": 3}}},
     "'dagm_fit.training.step'; did you mean 'steps'?"),
    ({"evaluate": {"operating_point": {"false_alarm": 0.1}}}, "did you mean 'false_alarm_rate'?"),
    ({"register": {"minimum_image_auc": 0.1}}, "did you mean 'minimum_image_auroc'?"),
    ({"compute": {"zzzzzz": 1}}, "valid keys: device, precision, threads, cluster.")])
def test_unknown_key_of_params(tmp_path, params, expected):
    assert expected in refusal(tmp_path, params)


@pytest.mark.parametrize(("keys", "expected"), [
    ({"sed": 1}, "unknown key 'sed'; did you mean 'seed'?"),
    ({"dagm_synthesize": {"sample": 2}},
     "unknown key 'dagm_synthesize.sample'; did you mean 'samples'?"),
    ({"ddm_train": {"network": {"width": [8]}}}, "did you mean 'widths'?")])
def test_unknown_key_of_overrides_names_the_line(tmp_path, keys, expected):
    message = refusal(tmp_path, line=overridden(**keys))
    assert message.startswith("pipelines.yaml: lines.plate.overrides: ") and expected in message


@pytest.mark.parametrize(("line", "expected"), [
    ({"overides": {}}, "unknown key 'lines.plate.overides'; did you mean 'overrides'?"),
    ({"source": {"path": "x", "fromat": "mvtec"}}, "did you mean 'format'?"),
    ({"source": {"format": "mvtec"}}, "the key 'lines.plate.source.path' is missing; add it."),
    ({"schedule": {"cron": "0 3 * * 1", "timezon": "UTC"}}, "did you mean 'timezone'?"),
    ({"source": {"path": "x", "format": "cocoa"}}, "lines.plate.source.format: Input should be"),
    ({"source": None}, "lines.plate.source")])
def test_mistakes_in_a_line(tmp_path, line, expected):
    assert expected in refusal(tmp_path, line=line)


def test_unknown_top_level_key_and_sample_line(tmp_path):
    tiny.write_project(tmp_path)
    file = tmp_path / "pipelines.yaml"
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | {"line": {}}))
    with pytest.raises(ConfigError, match="unknown key 'line'; did you mean 'lines'"):
        load_pipelines(tmp_path)
    file.write_text(json.dumps(content | {"sample_lines": ["plates"]}))
    with pytest.raises(ConfigError, match="sample_lines names 'plates', which is not under"):
        load_pipelines(tmp_path)


@pytest.mark.parametrize(("params", "expected"), [
    ({"seed": "many"}, "seed: Input should be a valid integer"),
    ({"seed": -1}, "seed: Input should be greater than or equal to 0 (received -1)."),
    ({"image": {"size": 100}}, "multiple of 16"),
    ({"image": {"size": 16}}, "greater than or equal to 32"),
    ({"dagm_fit": {"training": {"learning_rate": 0}}}, "greater than 0"),
    ({"dagm_fit": {"training": {"batch": 1}}}, "greater than or equal to 2"),
    ({"dagm_fit": {"network": {"width": 24}}}, "multiple of 16"),
    ({"dagm_fit": {"dimensions": 153}}, "less than or equal to 152"),
    ({"dagm_fit": {"backbone": "resnet"}}, "'lite0' or 'none'"),
    ({"ddm_train": {"network": {"widths": [12]}}}, "multiple of 8"),
    ({"ddm_train": {"network": {"widths": []}}}, "at least 1 item"),
    ({"compute": {"cluster": "host:8786"}}, "compute.cluster: String should match"),
    ({"dagm_fit": 3}, "dagm_fit: Input should be a valid dictionary"),
    ({"pom_filter": {"keep": 1.5}}, "less than or equal to 1"),
    ({"dagm_synthesize": {"sources": {}}}, "at least one is above 0"),
    ({"dagm_synthesize": {"sources": {"fill": 0}}}, "at least one is above 0"),
    ({"dagm_synthesize": {"sources": {"fill": 1, "shuffle": -1}}}, "shares >= 0"),
    ({"dagm_synthesize": {"sources": {"magic": 1}}}, "'cut_paste'")])
def test_wrong_type_or_value(tmp_path, params, expected):
    assert expected in refusal(tmp_path, params)


@pytest.mark.parametrize("value", [".inf", ".nan", "-.inf"])
def test_numbers_are_finite(tmp_path, value):
    assert "finite number" in refusal(
        tmp_path, text=f"dagm_fit: {{training: {{learning_rate: {value}}}}}")


@pytest.mark.parametrize(("text", "expected"), [
    ("seed: [1", "not readable YAML"), ("- a\n- b", "expected a mapping of keys, found a list"),
    ("seed: 1\nseed: 2", "not readable YAML"), ("seed: !!python/object:os.system x", "YAML"),
    ("\tseed: 1", "not readable YAML"), ("just words", "found a str")])
def test_files_that_are_not_a_mapping(tmp_path, text, expected):
    assert expected in refusal(tmp_path, text=text)


def test_missing_and_binary_files(tmp_path):
    with pytest.raises(ConfigError, match=r"expected pipelines\.yaml in .*run this in the project"):
        load_pipelines(tmp_path)
    (tmp_path / "params.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"params\.yaml is not readable YAML"):
        load_params(tmp_path)
    (tmp_path / "params.yaml").unlink()
    (tmp_path / "params.yaml").mkdir()
    with pytest.raises(ConfigError, match="not readable"):
        load_params(tmp_path)


def test_empty_params_are_the_defaults(tmp_path):
    (tmp_path / "params.yaml").write_text("# nothing\n")
    assert load_params(tmp_path) == Params()


GOOD_NAMES = ["a", "0", "brushed_plate", "line-2", "a" * 63]
BAD_NAMES = ["", "a/b", "..", ".", "../x", "a b", " a", "a ", "A", "_a", "-a", "a\n", "ä", "a" * 64,
             "a.b", "con:1", "a\\b", "a@b", "$(x)"]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_good_line_names(name):
    assert check_line_name(name) == name


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_line_names(name, tmp_path):
    with pytest.raises(ConfigError, match="expected 1 to 63 characters of a-z"):
        check_line_name(name)
    tiny.write_project(tmp_path)
    content = {"lines": {name: {"source": {"path": "x"}}}}
    (tmp_path / "pipelines.yaml").write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="line name"):
        load_pipelines(tmp_path)


def test_merge_replaces_leaves_and_keeps_the_rest():
    base = {"a": {"b": 1, "c": {"d": 2}}, "e": [1, 2], "f": {"g": 1}}
    over = {"a": {"c": {"d": 3, "new": 4}}, "e": [9], "f": 5}
    assert merge(base, over) == {"a": {"b": 1, "c": {"d": 3, "new": 4}}, "e": [9], "f": 5}
    assert base == {"a": {"b": 1, "c": {"d": 2}}, "e": [1, 2], "f": {"g": 1}}, "unchanged"
    assert merge(base, {}) == base and merge({}, over) == over


def test_overrides_are_the_lines_own(tmp_path):
    tiny.write_project(tmp_path, {"seed": 3, "dagm_fit": {"training": {"steps": 7, "batch": 4}}},
                       overridden(dagm_fit={"training": {"steps": 9}}, image={"channels": 3}))
    params = Line.load("plate", tmp_path).params
    assert (params.seed, params.image.channels) == (3, 3)
    assert (params.dagm_fit.training.steps, params.dagm_fit.training.batch) == (9, 4)
    assert load_params(tmp_path).dagm_fit.training.steps == 7
    plain = load_pipelines(tmp_path).lines["plate"].model_copy(update={"overrides": {}})
    assert load_params(tmp_path, plain, "plate") == load_params(tmp_path)


def test_preset_lies_between_defaults_and_overrides(tmp_path):
    training = {"training": {"steps": 7, "batch": 4}}
    presets = {"fast": {}, "long": {"dagm_fit": {"training": {"steps": 70, "batch": 6}}}}
    tiny.write_project(tmp_path, {"dagm_fit": training, "presets": presets},
                       overridden(preset="long", dagm_fit={"training": {"batch": 9}}))
    chosen = Line.load("plate", tmp_path).params.dagm_fit.training
    assert (chosen.steps, chosen.batch) == (70, 9)
    assert load_params(tmp_path).dagm_fit.training.steps == 7


@pytest.mark.parametrize(("preset", "presets", "match"), [
    ("slow", {"fast": {}}, "there is no preset 'slow'; expected one of: fast"),
    ("fast", {"fast": {"dagm_fitt": {}}}, "presets.fast: unknown key 'dagm_fitt'.*'dagm_fit'"),
])
def test_wrong_presets_are_refused(tmp_path, preset, presets, match):
    tiny.write_project(tmp_path, {"preset": preset, "presets": presets}, overridden())
    with pytest.raises(ConfigError, match=match):
        Line.load("plate", tmp_path)


def test_settings_are_immutable():
    with pytest.raises(ValidationError):
        Params().seed = 4


def test_aliases_are_the_names_in_the_files():
    params = Params.model_validate({"validate": {"minimum_train": 5}, "register": {"tolerance": 0}})
    assert params.validate_.minimum_train == 5 and params.register_.tolerance == 0


@pytest.mark.parametrize(("stage", "keys"), [
    ("ingest", {"ingest", "seed"}), ("validate", {"validate"}), ("register", {"register"}),
    ("evaluate", {"evaluate", "seed", "compute"}),
    *((s, {s, "seed", "image", "benign", "compute"})
      for s in ("dagm_fit", "dagm_synthesize", "pom_filter", "ddm_train"))])
def test_stage_settings_hold_what_the_stage_depends_on(stage, keys):
    settings = stage_settings(Params(), stage)
    assert set(settings) == keys
    assert json.loads(json.dumps(settings, allow_nan=False)) == settings
    assert stage_settings(Params.model_validate(settings), stage) == settings


@pytest.mark.parametrize(("keys", "stages"), [
    ({"dagm_synthesize": {"samples": 7}}, ["dagm_synthesize"]),
    ({"benign": {"turn": 0.0}}, ["dagm_fit", "dagm_synthesize", "pom_filter", "ddm_train"]),
    ({"compute": {"cluster": "tcp://10.0.0.5:8786"}}, [])])  # no result follows from where
def test_a_change_touches_the_stages_that_it_concerns(keys, stages):
    changed = Params.model_validate(keys)
    assert [s for s in STAGES if stage_settings(changed, s) != stage_settings(Params(), s)] \
        == stages


def test_the_projects_own_files_are_valid():
    pipelines = load_pipelines(PROJECT)
    assert pipelines.lines and set(pipelines.sample_lines) <= set(pipelines.lines)
    for name in pipelines.lines:
        Line.load(name, PROJECT)


def test_every_knob_is_documented():
    def missing(model, where=""):
        for name, field in model.model_fields.items():
            inner = field.annotation
            if hasattr(inner, "model_fields"):
                yield from missing(inner, f"{where}{name}.")
            elif not field.description:
                yield where + name
    assert list(missing(Params)) == []
