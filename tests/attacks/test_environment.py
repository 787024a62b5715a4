"""What a shell has set changes no night: dbt's own variables, and settings out of bounds."""

import os
import time

import pytest

from matinee import transform
from matinee.errors import ConfigError, RefusedError
from matinee.settings import Settings
from matinee.transform import dbt_build, dbt_parse
from tests.attacks.commands import LONG, command

DBT = {
    "DBT_TARGET": "prod",
    "DBT_PROFILE": "other",
    "DBT_PROFILES_DIR": "/nowhere",
    "DBT_PROJECT_DIR": "/nowhere",
    "DBT_TARGET_PATH": "/nowhere/target",
    "DBT_LOG_PATH": "/nowhere/logs",
    "DBT_EXCLUDE_RESOURCE_TYPES": "test",
    "DBT_RESOURCE_TYPES": "model",
    "DBT_INDIRECT_SELECTION": "empty",
    "DBT_FULL_REFRESH": "true",
    "DBT_FAIL_FAST": "true",
    "DBT_WARN_ERROR": "true",
    "DBT_EMPTY": "true",
    "DBT_SAMPLE": "1 day",
    "DBT_DEFER": "true",
    "DBT_STATE": "/nowhere",
    "DBT_FAVOR_STATE": "true",
    "DBT_STORE_FAILURES": "true",
    "DBT_INTROSPECT": "false",
    "DBT_POPULATE_CACHE": "false",
    "DBT_STATIC_PARSER": "false",
    "DBT_PARTIAL_PARSE": "true",
    "DBT_NO_VERSION_CHECK": "true",
    "DBT_USE_EXPERIMENTAL_PARSER": "true",
    "DBT_MACRO_DEBUGGING": "1",
    "DBT_LOG_FORMAT": "json",
    "DBT_DEBUG": "true",
    "DBT_QUIET": "false",
    "DBT_SINGLE_THREADED": "true",
    "DBT_RECORDER_MODE": "replay",
    "DBT_ENV_SECRET_X": "secret",
    "DBT_ENGINE_TARGET": "prod",
    "DBT_WARN_ERROR_OPTIONS": "{",
    "dbt_target": "prod",
    "DBT_": "x",
}


def test_dbt_sees_none_of_its_variables_and_the_shell_keeps_them(monkeypatch):
    for name, value in DBT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MATINEE_HOME", "/before")
    before = dict(os.environ)
    with dbt_parse.pinned({"MATINEE_HOME": "/home", "MATINEE_THREADS": "3"}):
        assert not [name for name in os.environ if name.upper().startswith("DBT_")]
        assert os.environ["MATINEE_HOME"] == "/home"
    assert dict(os.environ) == before


def build(home, **changes):
    arguments = {"threads": 1, "memory_limit": "1GB", "as_of": as_of(home)} | changes
    return transform.build(project=Settings().project, home=home, **arguments)


def as_of(home):
    from matinee import pipeline

    return pipeline.begin(Settings(home=home)).as_of


GROUPS = (list(DBT),) if not LONG else (list(DBT), *([name] for name in DBT))


@pytest.mark.parametrize("names", GROUPS, ids=lambda names: "all" if len(names) > 1 else names[0])
def test_a_build_in_any_shell_runs_every_test(attacked, monkeypatch, release, names):
    for name in names:
        monkeypatch.setenv(name, DBT[name])
    built = build(attacked, vars={"consent_without_record": "granted", "lateness_days": 3})
    expected = release.manifest["dbt"]
    assert built.tests_passed + built.tests_warned >= expected["tests_passed"]
    assert built.models == expected["models"]
    assert not os.path.lexists("/nowhere")


def test_a_build_without_a_single_test_is_refused(attacked, monkeypatch):
    without = [*dbt_build.NOT_BUILT, "--exclude-resource-type", "test"]
    monkeypatch.setattr(dbt_build, "NOT_BUILT", without)
    with pytest.raises(RefusedError, match="models and not one data test, so nothing is known"):
        build(attacked)


# ---------- settings

WRONG = {
    "HOME": ("", " ", "\t", "~nobody-of-that-name/x", "a?b", "a\\b", "a\nb", "/\udcff"),
    "PROJECT": ("", " ", "~nobody-of-that-name/x"),
    "THREADS": ("", "0", "-1", "257", "9" * 30, "two", "1.5", "1e3", "nan"),
    "MEMORY_LIMIT": (
        "",
        "0",
        "4",
        "GB",
        "plenty",
        "-1GB",
        "1KB",
        "99MB",
        "101TB",
        "9" * 400 + "GB",
        "4GB'",
        "4GB; drop table x",
        "nanGB",
        "1e9GB",
    ),
    "SEED": ("", "-1", "2147483648", "9" * 30, "9" * 5000, "1.5", "0x1", "seed"),
    "LATENESS_DAYS": ("", "0", "-3", "366", "9" * 12, "9" * 5000, "3.5", "inf"),
    "SLATE_SIZE": ("", "0", "-1", "1001", "9" * 20, "fifty"),
    "CALIBRATION_WEIGHT": ("", "-0.1", "1.1", "nan", "inf", "-inf", "1e400", "half"),
    "CONSENT_WITHOUT_RECORD": ("", "yes", "GRANTED", "granted "),
    "FULL_EVALUATION_DAYS": ("", "-1", "32", "9" * 20, "weekly", "1.5"),
    "KEEP_DAYS": ("", "-1", "1000001", "all", "0.5"),
    "UNKNOWN_REQUESTS": ("", "-1", "9" * 5000, "many", "0.5"),
    "WARM_START": ("", "maybe", "2"),
}

RIGHT = {
    "HOME": ("var", "/a b/é", "a=b", "it's"),
    "THREADS": ("1", "256"),
    "MEMORY_LIMIT": ("100MB", "4GB", "512MiB", "1.5 GB", "100TB", "4gb"),
    "SEED": ("0", "2147483647"),
    "LATENESS_DAYS": ("1", "365"),
    "SLATE_SIZE": ("1", "1000"),
    "CALIBRATION_WEIGHT": ("0", "1", "0.5"),
    "FULL_EVALUATION_DAYS": ("0", "31"),
    "KEEP_DAYS": ("0", "1000000"),
    "UNKNOWN_REQUESTS": ("0", "1000"),
}


def pairs(table):
    return [(name, value) for name, values in table.items() for value in values]


def test_a_setting_out_of_bounds_is_refused_by_its_name(monkeypatch, hold):
    def check(name, value):
        with monkeypatch.context() as patch:
            patch.setenv(f"MATINEE_{name}", value)
            with pytest.raises(ConfigError, match=f"^MATINEE_{name} is ") as caught:
                Settings()
            assert caught.value.exit_code == 2

    hold(check, pairs(WRONG))


def test_a_setting_at_its_bounds_is_taken(monkeypatch, hold):
    def check(name, value):
        with monkeypatch.context() as patch:
            patch.setenv(f"MATINEE_{name}", value)
            assert getattr(Settings(), name.lower()) is not None

    hold(check, pairs(RIGHT))


def test_every_setting_has_cases():
    assert {name.upper() for name in Settings.model_fields} == set(WRONG)


def test_a_tilde_is_the_home_of_the_user(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for written, path in {"~": tmp_path, "~/x": tmp_path / "x"}.items():
        monkeypatch.setenv("MATINEE_HOME", written)
        assert Settings().home == path


def test_a_wrong_setting_stops_a_night_at_once(tmp_path, hold):
    def check(name, value):
        began = time.monotonic()
        done = command(tmp_path, "run", **{f"MATINEE_{name}": value})
        assert (done.code, done.crash) == (2, None)
        assert f"MATINEE_{name} is" in done.err
        assert time.monotonic() - began < 5
        assert list(tmp_path.iterdir()) == []

    cases = pairs(WRONG) if LONG else [(name, values[-1]) for name, values in WRONG.items()]
    hold(check, [case for case in cases if "\udcff" not in case[1] and "\0" not in case[1]])
