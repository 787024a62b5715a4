"""Several processes at once: one wins, the others get an error that names it."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from matinee import releases
from matinee.errors import BusyError, ConfigError
from matinee.releases import audit, files
from matinee.releases.register import Register
from tests.releases.samples import AT, promote, publish

NIGHT = """
import sys, time
from pathlib import Path
from matinee import releases
with releases.lease(Path(sys.argv[1]), holder="a night"):
    print("held", flush=True)
    time.sleep(60)
"""

PROMOTION = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from matinee import releases
from matinee.errors import BusyError
root, keys, release, expected = sys.argv[1:]
store = releases.Store(Path(root), keys=Path(keys))
sys.stdin.readline()
try:
    store.promote(release, expected=expected, at=datetime(2026, 1, 2, tzinfo=UTC), by="p", why="w")
    print("won")
except BusyError:
    print("lost")
"""


def start(code, *args, **options):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)],
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.fixture
def night(tmp_path):
    process = start(NIGHT, tmp_path)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_night_is_refused_with_the_holder_of_the_lease_within_seconds(tmp_path, night):
    began = time.monotonic()
    holder = rf"pid {night.pid} \(a night\) on \S+ since 20\d\d-.*Z .*"
    message = f"another night runs: {holder}; wait for it or end it"
    with pytest.raises(BusyError, match=message) as error, releases.lease(tmp_path):
        pass
    assert time.monotonic() - began < 3
    assert error.value.exit_code == 4


def test_the_lease_of_a_dead_night_is_taken_over_at_once(tmp_path, night):
    night.kill()
    night.wait()
    began = time.monotonic()
    with releases.lease(tmp_path):
        assert time.monotonic() - began < 1


def test_the_lease_is_free_again_after_the_block_even_when_it_failed(tmp_path):
    for _ in range(2):
        with pytest.raises(RuntimeError, match="x"), releases.lease(tmp_path):
            raise RuntimeError("x")


def test_leases_of_different_names_do_not_meet(tmp_path):
    with releases.lease(tmp_path), releases.lease(tmp_path, name="refresh"):
        pass


def test_a_holder_that_is_not_in_the_file_yet_is_reported_as_starting(tmp_path):
    with releases.lease(tmp_path):
        (tmp_path / "night.lease").write_text("")
        with (
            pytest.raises(BusyError, match="its holder has only just started"),
            releases.lease(tmp_path, wait_seconds=0),
        ):
            pass


def test_of_many_promotions_at_once_exactly_one_wins(store):
    first = publish(store)
    promote(store, first)
    others = [publish(store, shift=n, minutes=n) for n in range(1, 5)]
    processes = [
        start(PROMOTION, store.root, store.keys, other.id, first.id, stdin=subprocess.PIPE)
        for other in others
    ]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate()[0].strip() for process in processes]
    assert sorted(results) == ["lost", "lost", "lost", "won"]
    assert store.live() == others[results.index("won")]
    assert [entry.action for entry in store.trail().entries()] == ["promote", "promote"]


def test_threads_of_one_process_keep_each_other_out_too(store):
    first = publish(store)
    promote(store, first)
    others = [publish(store, shift=n, minutes=n) for n in range(1, 9)]

    def attempt(release):
        try:
            store.promote(release.id, expected=first.id, at=AT, by="t", why="w")
        except BusyError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, others)) == 1
    assert len(store.trail().entries()) == 2


def test_a_rollback_after_a_concurrent_change_changes_nothing(store, monkeypatch):
    first, second = publish(store), publish(store, shift=1, minutes=1)
    promote(store, first)
    promote(store, second)
    verify = releases.Store.verify

    def overtaken(self, name):
        monkeypatch.setattr(releases.Store, "verify", verify)
        store.rollback(at=AT, by="faster", why="w")
        return verify(self, name)

    monkeypatch.setattr(releases.Store, "verify", overtaken)
    with pytest.raises(BusyError, match="another rollback or promotion came first: check live"):
        store.rollback(at=AT, by="slower", why="w")
    assert store.trail().entries()[-1].by == "faster"


def test_a_concurrently_removed_release_gets_no_alias(store):
    entry = audit.new_entry("nominate", publish(store).id, at=AT, by="ada", why="w")
    register = Register(store.root, store.keys)
    files.remove(store.root / entry.release_id)
    with pytest.raises(
        ConfigError, match=f"release {entry.release_id} was removed in the meantime"
    ):
        register.apply(entry)


def test_aliases_changed_during_a_pull_are_not_overwritten(store):
    promote(store, publish(store))
    register = Register(store.root, store.keys)
    chain, _ = register.verified_state()
    with pytest.raises(
        BusyError, match=r"were changed in the meantime \(entry \w{12}\): check them"
    ):
        register.overwrite(chain, expected=audit.GENESIS)
