"""The command line: what it says, its exit codes, pipes, encodings, interruption, and how soon it answers."""

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time

import pytest

from tests.course.checkout import ENGINE, RIGHT, UNBROADCAST, Checkout
from tinytorch.course import catalog, cli, progress, state, stubs
from tinytorch.errors import NoSuchExercise

ACCUMULATE = "autograd.accumulate"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """An untouched copy of the course, in which `cli.main` works too."""
    copy = Checkout(tmp_path)
    monkeypatch.setenv("TINYTORCH_COURSE_ROOT", str(tmp_path))
    for name in ("TINYTORCH_USE", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return copy


@pytest.fixture
def say(course, capsys):
    """Run a command in this process: its exit code, standard output and standard error."""

    def run(*args):
        capsys.readouterr()
        code = cli.main(list(args))
        return code, *capsys.readouterr()

    return run


def autograd_ids():
    return [entry.id for entry in catalog.exercises("autograd")]


# ---- check --------------------------------------------------------------------------------------------------------


def test_check_of_untouched_work_fails_with_nothing_earned(say):
    code, out, err = say("check", "autograd")
    assert code == 1 and err == ""
    total = sum(entry.points for entry in catalog.exercises("autograd"))
    count = len(autograd_ids())
    assert f"public checks passed: 0 of {count} exercises, 0 of {total} points" in out
    assert out.count("untouched, 0 of") == count
    assert f"tinytorch hint {autograd_ids()[0]}" in out


def test_check_of_a_right_answer(course, say):
    course.fill(UNBROADCAST, RIGHT)
    code, out, err = say("check", UNBROADCAST)
    assert code == 0, out + err
    assert f"{UNBROADCAST}  public checks passed, 2 of 2 points" in out
    assert "next: write" in out and f"hint {UNBROADCAST}" not in out
    record = state.load(course.root).of(UNBROADCAST)
    assert record.passed is not None and record.passed.seconds >= 0


def test_check_of_a_wrong_answer_names_the_mistake(course, say):
    course.fill(UNBROADCAST, "return grad")
    code, out, _ = say("check", "unbroadcast")
    assert code == 1
    (question,) = [catalog.question(UNBROADCAST)]
    for label in ("call", "expected", "got", "why", "mistake", "read", "where", "next:"):
        assert f"\n  {label}" in out or f"\n{label}" in out, f"{label} is missing in\n{out}"
    last = state.load(course.root).of(UNBROADCAST).last
    tutor = next(m.tutor for m in question.misconceptions if m.name == last.misconception)
    assert tutor in out and last.misconception in out
    assert f'notebooks/04_autograd.ipynb, "{question.lesson}"' in out
    assert f"`tinytorch check {UNBROADCAST}`" in out and f"`tinytorch hint {UNBROADCAST}`" in out


@pytest.mark.parametrize("name", ["autograd", "04_autograd", "4", "04", None])
def test_a_chapter_has_several_names(say, name):
    code, out, _ = say(*(["check", "--json"] + ([name] if name else [])))
    assert code == 1
    assert [entry["id"] for entry in json.loads(out)["exercises"]] == autograd_ids()


def test_check_json_is_one_document_and_nothing_else(course, say):
    course.fill(UNBROADCAST, "print('noise')\nreturn grad")
    course.fill(ACCUMULATE, "return grad if total is None else total + grad")
    code, out, err = say("check", "--json", UNBROADCAST, ACCUMULATE, "topological_order")
    assert code == 1 and err == ""
    document = json.loads(out)
    by_id = {entry["id"]: entry for entry in document["exercises"]}
    assert list(by_id) == [UNBROADCAST, ACCUMULATE, "autograd.topological_order"]
    wrong, right, blank = by_id.values()
    assert {"id", "chapter", "points", "earned", "state", "seconds", "misconception", "message"} <= set(wrong)
    assert (wrong["state"], right["state"], blank["state"]) == ("in progress", "passed", "untouched")
    assert (wrong["earned"], right["earned"], blank["earned"]) == (0, 1, 0)
    assert wrong["misconception"] and wrong["message"] and wrong["printed"]
    assert right["misconception"] is None and right["message"] is None
    assert {entry["chapter"] for entry in by_id.values()} == {"04_autograd"}
    totals = document["totals"]
    assert (totals["exercises"], totals["passed"], totals["in progress"], totals["untouched"]) == (3, 1, 1, 1)
    assert (totals["points"], totals["earned"]) == (6, 1)


def test_check_json_of_a_pass_exits_with_zero(course, say):
    course.fill(UNBROADCAST, RIGHT)
    code, out, _ = say("check", UNBROADCAST, "--json")
    assert code == 0 and json.loads(out)["totals"]["earned"] == 2


def test_one_mistake_does_not_sink_the_others(course, say):
    course.fill(UNBROADCAST, "return grad +* 1")
    course.fill(ACCUMULATE, "return grad if total is None else total + grad")
    code, out, _ = say("check", "--json", UNBROADCAST, ACCUMULATE)
    broken, right = json.loads(out)["exercises"]
    assert code == 1
    assert broken["kind"] == "syntax" and broken["where"].startswith(f"{ENGINE}:")
    assert right["state"] == "passed"


def test_exercise_whose_function_is_gone(course, say):
    text = course.read()
    course.write(text.replace(f'@exercise("{UNBROADCAST}", points=2)\n', ""))
    code, out, _ = say("check", UNBROADCAST)
    assert code == 1 and f"tinytorch reset {UNBROADCAST}" in out
    code, out, _ = say("check", "autograd", "--json")
    assert UNBROADCAST in [entry["id"] for entry in json.loads(out)["exercises"]]
    code, out, _ = say("reset", UNBROADCAST, "--yes")
    assert code == 0 and f'@exercise("{UNBROADCAST}", points=2)' in course.read()


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_misspelt_name_is_misuse(say, options):
    code, out, err = say("check", "autograd.unbrodcast", *options)
    assert code == 2 and out == ""
    assert "did you mean" in err and all(id in err for id in autograd_ids())


@pytest.mark.parametrize(
    "args", [["chekc"], ["check", "--nope"], ["hint"], ["hint", "autograd"], ["lab", "--port", "0"]]
)
def test_misuse_exits_with_two(say, args):
    code, out, err = say(*args)
    assert code == 2 and out == "" and err.strip() and "Traceback" not in err


def test_misspelt_command_is_answered_with_the_right_one(say):
    assert "Did you mean check?" in say("chekc")[2]


def test_help_and_version(say):
    for args in ([], ["--help"]):
        code, out, _ = say(*args)
        assert code == 0
        assert all(name in out for name in ("lab", "status", "check", "hint", "solution", "reset", "doctor"))
    code, out, _ = say("--version")
    assert code == 0 and out.startswith("tinytorch ")


def test_fault_of_the_course_is_one_line(course, say):
    (course.root / "exercises" / "stubs.json").write_text("{")
    code, out, err = say("check", "autograd")
    assert code == 1 and "stubs.json" in err and "Traceback" not in err and err.count("\n") == 1


# ---- status -------------------------------------------------------------------------------------------------------


def test_status_shows_every_exercise(course, say):
    course.fill(UNBROADCAST, RIGHT)
    course.fill(ACCUMULATE, "return grad")
    assert say("check", "autograd")[0] == 1
    code, out, err = say("status")
    assert code == 0 and err == ""
    rows = {line.split()[0]: line for line in out.splitlines() if "autograd." in line}
    assert set(rows) == set(autograd_ids())
    assert "2/2" in rows[UNBROADCAST] and "public checks passed" in rows[UNBROADCAST]
    assert "yours" in rows[UNBROADCAST] and ENGINE in rows[UNBROADCAST]
    assert "0/1" in rows[ACCUMULATE] and "in progress" in rows[ACCUMULATE]
    assert "untouched" in rows["autograd.mm_backward"] and "reference" in rows["autograd.mm_backward"]
    assert f"Code in use: 2 yours, {len(rows) - 2} reference." in out


def test_status_json(course, say):
    course.fill(UNBROADCAST, RIGHT)
    say("check", UNBROADCAST)
    code, out, err = say("status", "--json")
    assert code == 0 and err == ""
    document = json.loads(out)
    row = next(row for row in document["exercises"] if row["id"] == UNBROADCAST)
    assert (row["state"], row["earned"], row["points"], row["code"]) == ("passed", 2, 2, "yours")
    assert row["seconds"] >= 0 and row["misconception"] is None
    assert document["totals"]["earned"] == 2 and document["totals"]["code"]["yours"] == 1


def test_a_pass_counts_only_for_the_text_that_passed(course, say):
    pristine = course.read()
    course.fill(UNBROADCAST, RIGHT)
    say("check", UNBROADCAST)
    passed = course.read()
    course.write(passed.replace("axes = tuple(range(new))", "axes = tuple(range(new + 1))"))
    assert "in progress (changed since it passed)" in say("status")[1]
    course.write(passed)
    assert "public checks passed" in say("status")[1].split("9 exercises")[0]
    course.write(pristine)
    assert json.loads(say("status", "--json")[1])["totals"]["untouched"] == len(autograd_ids())


@pytest.mark.parametrize(
    ("mode", "codes"),
    [
        ("auto", ("yours", "reference")),
        ("reference", ("reference", "reference")),
        ("mine", ("yours", "nobody's")),
        ("mine:04_autograd", ("yours", "nobody's")),
        ("mine:07_convolution", ("reference", "reference")),
    ],
)
def test_whose_code_is_the_same_as_the_framework_says(course, say, monkeypatch, mode, codes):
    course.fill(UNBROADCAST, RIGHT)
    monkeypatch.setenv("TINYTORCH_USE", mode)
    rows = {row["id"]: row["code"] for row in json.loads(say("status", "--json")[1])["exercises"]}
    assert (rows[UNBROADCAST], rows[ACCUMULATE]) == codes
    ask = "import tinytorch, json, tinytorch.exercise as e; print(json.dumps({i: e.whose(i) for i in e.registry}))"
    done = course.python("-c", ask, TINYTORCH_USE=mode)
    assert json.loads(done.stdout) == rows, done.stderr.decode()


def test_without_solutions_an_untouched_stub_is_nobodys(course, say):
    (course.root / "solutions").rename(course.root / "elsewhere")
    assert json.loads(say("status", "--json")[1])["totals"]["code"]["nobody's"] == len(autograd_ids())


def test_strange_mode_is_told(course, say, monkeypatch):
    monkeypatch.setenv("TINYTORCH_USE", "theirs")
    code, _, err = say("status")
    assert code == 1 and "TINYTORCH_USE=theirs" in err


# ---- hint, solution, reset ----------------------------------------------------------------------------------------


def test_hints_come_one_after_the_other(course, say):
    hints = catalog.question(UNBROADCAST).hints
    for number, hint in enumerate(hints, start=1):
        code, out, _ = say("hint", UNBROADCAST)
        assert code == 0 and f"Hint {number} of {len(hints)}" in out and hint in out
        assert not any(other in out for other in hints if other != hint)
        assert "give-up" not in out
    code, out, _ = say("hint", "unbroadcast")
    assert code == 0 and hints[-1] in out and f"tinytorch solution {UNBROADCAST} --give-up" in out
    assert all(hint in say("hint", UNBROADCAST, "--again")[1] for hint in hints)
    assert "3 hints" in say("status")[1]


def test_solution_is_shown_after_a_pass(course, say):
    code, out, err = say("solution", UNBROADCAST)
    assert code == 1 and out == "" and "--give-up" in err
    course.fill(UNBROADCAST, RIGHT)
    say("check", UNBROADCAST)
    code, out, err = say("solution", UNBROADCAST)
    assert code == 0 and err == "" and out.startswith("# solutions/autograd/engine.py:")
    assert "def unbroadcast" in out
    compile(out, "solution", "exec", flags=__import__("__future__").annotations.compiler_flag)
    assert state.load(course.root).of(UNBROADCAST).gave_up is None


def test_giving_up_is_remembered(course, say):
    code, out, _ = say("solution", "mm_backward", "--give-up")
    assert code == 0 and "# solutions/ops/linalg.py:" in out and "def backward" in out
    assert state.load(course.root).of("autograd.mm_backward").gave_up is not None
    assert say("solution", "mm_backward")[0] == 0, "what was seen once may be seen again"
    assert "solution seen" in say("status")[1]


def test_solution_where_there_are_none(course, say):
    (course.root / "solutions").rename(course.root / "elsewhere")
    code, out, err = say("solution", UNBROADCAST, "--give-up")
    assert code == 1 and out == "" and "solutions/" in err
    assert state.load(course.root).of(UNBROADCAST).gave_up is None, "nothing was seen"


def test_reset_brings_the_stub_back_and_keeps_the_work(course, say):
    pristine = course.read()
    course.fill(UNBROADCAST, RIGHT)
    work = course.read()
    code, out, _ = say("reset", UNBROADCAST, "--yes")
    assert code == 0 and course.read() == pristine
    (backup,) = (course.root / ".tinytorch" / "backups").iterdir()
    assert str(backup) in out and backup.read_text(encoding="utf-8") == work
    code, out, _ = say("reset", UNBROADCAST, "--yes")
    assert code == 0 and "untouched" in out
    assert len(list(backup.parent.iterdir())) == 1


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("", 1)])
def test_reset_asks_first(course, answer, code):
    course.fill(UNBROADCAST, RIGHT)
    work = course.read()
    done = course.run("reset", UNBROADCAST, stdin=answer)
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr and b"put the stub back?" in done.stderr
    assert (course.read() == work) == bool(code)


def test_reset_keeps_work_on_other_exercises(course, say):
    course.fill(UNBROADCAST, RIGHT)
    course.fill(ACCUMULATE, "return grad if total is None else total + grad")
    say("reset", UNBROADCAST, "--yes")
    states = {entry.id: entry.state for entry in catalog.exercises()}
    assert (states[UNBROADCAST], states[ACCUMULATE]) == ("untouched", "in progress")


# ---- names --------------------------------------------------------------------------------------------------------


def test_single_refuses_a_chapter(course):
    with pytest.raises(NoSuchExercise, match="not one exercise but"):
        progress.single("autograd")


def test_resolve_knows_each_exercise_once(course):
    assert progress.resolve(["unbroadcast", "autograd"]).count(UNBROADCAST) == 1
    assert set(progress.resolve()) == set(stubs.load())


# ---- pipes, encodings, interruption -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    ],
    ids=["ascii", "latin-1", "C locale"],
)
def test_terminal_that_is_not_utf8(course, env):
    course.fill(UNBROADCAST, "print('\\u2211 \\x1b[31m \\U0001d54f')\nreturn grad")
    for args in (
        ["check", "autograd"],
        ["status"],
        ["hint", UNBROADCAST],
        ["doctor"],
        ["solution", UNBROADCAST, "--give-up"],
    ):
        done = course.run(*args, **env)
        assert done.returncode in (0, 1), done.stderr
        assert b"Traceback" not in done.stderr and done.stdout
        assert b"\x1b" not in done.stdout
        done.stdout.decode(env.get("PYTHONIOENCODING", "utf-8"))
        if env.get("PYTHONIOENCODING") == "ascii":
            assert not any(byte > 127 for byte in done.stdout + done.stderr)


def test_piped_output_has_no_control_codes_and_loses_nothing(course):
    course.fill(UNBROADCAST, "return grad")
    done = course.run("check", UNBROADCAST, COLUMNS="40", TERM="xterm-256color")
    assert b"\x1b" not in done.stdout and b"\r" not in done.stdout
    question = catalog.question(UNBROADCAST)
    name = state.load(course.root).of(UNBROADCAST).last.misconception
    tutor = next(m.tutor for m in question.misconceptions if m.name == name)
    assert tutor in done.stdout.decode()
    done = course.run("status", COLUMNS="40", TERM="xterm-256color")
    assert b"\x1b" not in done.stdout and "\u2026" not in done.stdout.decode()
    assert all(
        any(id in line and "tinytorch/" in line for line in done.stdout.decode().splitlines()) for id in autograd_ids()
    )


def test_what_a_learner_prints_does_not_steer_the_terminal(course, say):
    course.fill(UNBROADCAST, "print('\\x1b[2Jgone')\nreturn grad")
    code, out, _ = say("check", UNBROADCAST)
    assert code == 1 and "\x1b" not in out and "\\x1b[2Jgone" in out


def test_reader_that_goes_away(course):
    line = f"{sys.executable} -m tinytorch status | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line], cwd=course.root, env=course.environment(), capture_output=True, timeout=60
    )
    assert b"Traceback" not in done.stderr and b"BrokenPipe" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_interrupted_check(course):
    course.fill(ACCUMULATE, "return grad if total is None else total + grad")
    course.fill("autograd.topological_order", "import time\ntime.sleep(60)")
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "tinytorch", "check", ACCUMULATE, "topological_order"],
        cwd=course.root,
        env=course.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert b"public checks passed" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.decode().strip().count("\n") == 0 and b"interrupted" in err
    assert state.load(course.root).of(ACCUMULATE).passed is not None, "what had been judged is remembered"
    assert not list((course.root / ".tinytorch").glob("*.new"))


@pytest.mark.parametrize("name", ["status", "check"])
def test_damaged_progress_is_told_and_no_obstacle(course, name):
    course.fill(UNBROADCAST, RIGHT)
    path = state.state_file(course.root)
    path.parent.mkdir()
    path.write_text('{"exercises": {"auto')
    done = course.run(name, *([UNBROADCAST] if name == "check" else []))
    assert done.returncode == 0
    assert b"damaged" in done.stderr and path.with_name("progress.json.bak").exists()


def test_file_that_does_not_compile_is_no_obstacle(course):
    course.write(course.read() + "\ndef half(:\n")
    done = course.run("check", "--json", UNBROADCAST, "mul_backward")
    entries = {entry["id"]: entry for entry in json.loads(done.stdout)["exercises"]}
    assert done.returncode == 1 and b"Traceback" not in done.stderr
    assert entries["autograd.mul_backward"]["state"] == "untouched"
    assert course.run("status").returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="opens a pseudo-terminal")
@pytest.mark.parametrize("columns", [80, 200])
def test_terminal_shows_every_name_and_place_whole(course, columns):
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    line = [sys.executable, "-m", "tinytorch", "status"]
    env = course.environment(TERM="xterm-256color")
    process = subprocess.Popen(line, cwd=course.root, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert process.wait(timeout=30) == 0
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode())
    assert "\x1b" in shown.decode(), "coloured"
    assert all(entry.id in text and entry.where in text for entry in catalog.exercises())
    assert max(map(len, text.splitlines())) <= columns


# ---- speed --------------------------------------------------------------------------------------------------------


def test_check_of_one_exercise_answers_within_a_second(course):
    """Median of five, process start included. Other tests use the same cores: a plain process says how slow these are.

    That process does nothing but compute, so its wall time over its processor time is what waiting for a core costs.
    """
    import resource

    def measured(run):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        assert run().returncode == 0
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    course.fill(UNBROADCAST, RIGHT)
    course.run("check", UNBROADCAST)  # compiled files are there after the first time
    seconds, processor = [], []
    for _ in range(5):
        wall, busy = measured(lambda: course.python("-c", "sum(range(4_000_000))"))
        crowded = max(1.0, wall / busy)
        wall, busy = measured(lambda: course.run("check", UNBROADCAST))
        seconds.append(wall / crowded)
        processor.append(busy)
    assert statistics.median(seconds) < 1.0, (seconds, processor)
    assert statistics.median(processor) < 2.0, "two cores cannot do that in a second"


def test_check_loads_neither_rich_nor_jupyter(course):
    code = (
        "import sys; from tinytorch.course import cli; cli.main(['check', 'unbroadcast']); print(sorted(sys.modules))"
    )
    done = course.python("-c", code)
    loaded = done.stdout.decode().splitlines()[-1]
    assert "tinytorch.course.judge" in loaded, done.stderr
    assert not any(f"'{name}'" in loaded for name in ("rich", "IPython", "matplotlib", "numba", "jupyterlab"))
