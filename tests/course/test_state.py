"""What is remembered survives: many writers, a damaged file, a folder that cannot be written."""

import json
import subprocess
import sys

import pytest

from tinytorch.course import state
from tinytorch.course.verdict import Failure, Verdict

PASS = Verdict("demo.one", "90_demo", 2, 2, "passed", 0.125, 7)
FAIL = Verdict(
    "demo.one",
    "90_demo",
    2,
    0,
    "in progress",
    0.5,
    7,
    Failure("wrong", message="f(1): expected 2, got 1", misconception="off-by-one"),
)
SOURCES = {"demo.one": "def one(): return 1"}


def test_nothing_is_known_at_first(tmp_path):
    known = state.load(tmp_path)
    assert known.records == {} and known.notice is None
    assert known.of("demo.one") == state.Record()
    assert not state.state_file(tmp_path).exists()


def test_verdicts_are_remembered(tmp_path):
    assert state.remember(tmp_path, [FAIL], SOURCES).notice is None
    failed = state.load(tmp_path).of("demo.one")
    assert failed.passed is None
    assert (failed.last.state, failed.last.misconception) == ("in progress", "off-by-one")
    assert failed.last.message == "f(1): expected 2, got 1"

    state.remember(tmp_path, [PASS], SOURCES)
    passed = state.load(tmp_path).of("demo.one")
    assert passed.passed == passed.last
    assert passed.passed.seconds == 0.125
    assert passed.passed.source == state.fingerprint(SOURCES["demo.one"])
    assert passed.passed.time.endswith("+00:00")

    state.remember(tmp_path, [FAIL], {"demo.one": "def one(): return 3"})
    after = state.load(tmp_path).of("demo.one")
    assert after.passed == passed.passed, "a pass is not forgotten"
    assert after.last.state == "in progress"


def test_fingerprint_tells_texts_apart():
    assert state.fingerprint("a = 1\n\n") == state.fingerprint("a = 1   ")
    assert state.fingerprint("a = 1") != state.fingerprint("a = 2")
    assert state.fingerprint("if a:\n    b") != state.fingerprint("if a:\n  b")


def test_hints_only_rise_and_the_first_giving_up_counts(tmp_path):
    state.hint_shown(tmp_path, "demo.one", 2)
    state.hint_shown(tmp_path, "demo.one", 1)
    assert state.load(tmp_path).of("demo.one").hints == 2
    state.gave_up(tmp_path, "demo.one")
    first = state.load(tmp_path).of("demo.one").gave_up
    assert first is not None
    path = state.state_file(tmp_path)
    path.write_text(path.read_text().replace(first, "2020-01-01T00:00:00+00:00"))
    state.gave_up(tmp_path, "demo.one")
    assert state.load(tmp_path).of("demo.one").gave_up == "2020-01-01T00:00:00+00:00"
    assert state.load(tmp_path).of("demo.one").hints == 2


RESULT = {"time": "t", "state": "passed", "seconds": 1.0, "source": "s"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"version": 1, "exercises": {"demo.one": {"hi',
        b"\xff\xfe\x00rubbish\x00",
        b"[]",
        b'{"exercises": []}',
        b'{"exercises": {"demo.one": 3}}',
        b'{"exercises": {"demo.one": {"hints": "many"}}}',
        b'{"exercises": {"demo.one": {"hints": true}}}',
        b'{"exercises": {"demo.one": {"gave_up": 5}}}',
        b'{"exercises": {"demo.one": {"passed": {}}}}',
        json.dumps({"exercises": {"demo.one": {"last": RESULT | {"seconds": "soon"}}}}).encode(),
        json.dumps({"exercises": {"demo.one": {"last": RESULT | {"misconception": 4}}}}).encode(),
        b"[" * 100_000,
    ],
)
def test_damaged_file_is_kept_and_begun_anew(tmp_path, content):
    path = state.state_file(tmp_path)
    path.parent.mkdir()
    path.write_bytes(content)
    known = state.load(tmp_path)
    assert known.records == {}
    assert "damaged" in known.notice and "progress.json.bak" in known.notice
    assert path.with_name("progress.json.bak").read_bytes() == content
    state.remember(tmp_path, [PASS], SOURCES)
    again = state.load(tmp_path)
    assert again.notice is None and again.of("demo.one").passed is not None


def test_second_damaged_file_does_not_overwrite_the_first(tmp_path):
    path = state.state_file(tmp_path)
    path.parent.mkdir()
    for content in (b"one", b"two"):
        path.write_bytes(content)
        state.load(tmp_path)
    assert path.with_name("progress.json.bak").read_bytes() == b"one"
    assert path.with_name("progress.json.bak2").read_bytes() == b"two"


def test_damage_is_told_by_an_update_too(tmp_path):
    path = state.state_file(tmp_path)
    path.parent.mkdir()
    path.write_bytes(b"{")
    assert "damaged" in state.hint_shown(tmp_path, "demo.one", 1).notice
    assert state.load(tmp_path).of("demo.one").hints == 1


def test_unknown_fields_of_a_later_version_are_no_damage(tmp_path):
    path = state.state_file(tmp_path)
    path.parent.mkdir()
    path.write_text(json.dumps({"version": 9, "new": 1, "exercises": {"demo.one": {"hints": 1, "stars": 5}}}))
    known = state.load(tmp_path)
    assert known.notice is None and known.of("demo.one").hints == 1


def test_folder_that_cannot_be_written_is_only_a_notice(tmp_path):
    (tmp_path / ".tinytorch").write_text("a file where the folder should be")
    assert "cannot be written" in state.remember(tmp_path, [PASS], SOURCES).notice
    assert (tmp_path / ".tinytorch").read_text() == "a file where the folder should be"


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    state.hint_shown(tmp_path, "demo.one", 1)
    before = state.state_file(tmp_path).read_bytes()

    def no_replace(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(state.os, "replace", no_replace)
    assert "No space left" in state.hint_shown(tmp_path, "demo.one", 3).notice
    assert state.state_file(tmp_path).read_bytes() == before
    names = {path.name for path in state.state_file(tmp_path).parent.iterdir()}
    assert names == {"progress.json", ".lock"}, "no half-written file stays behind"


WRITER = """
import sys
from pathlib import Path
from tinytorch.course import state
for number in range(10):
    state.hint_shown(Path(sys.argv[1]), f"demo.{sys.argv[2]}_{number}", 1)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="writers wait for each other on POSIX systems only")
def test_writers_at_the_same_time_lose_nothing(tmp_path):
    line = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*line, str(number)]) for number in range(4)]
    assert [writer.wait(timeout=60) for writer in writers] == [0] * 4
    wanted = {f"demo.{writer}_{number}" for writer in range(4) for number in range(10)}
    assert set(state.load(tmp_path).records) == wanted
