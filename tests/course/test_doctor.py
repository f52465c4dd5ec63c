"""The doctor finds what is missing, by really trying, and names the line that mends it."""

import json
import stat
import sys

import pytest

from tests.machine import ROOT
from tinytorch.course import cli, doctor


def by_name():
    return {finding.name: finding for finding in doctor.examine()}


def test_this_machine_has_what_the_course_needs():
    found = by_name()
    for name in ("Python", "packages", "widgets", "writing", "exercises", "solutions"):
        assert found[name].state == "ok", found[name]
    assert {finding.state for finding in found.values()} <= {"ok", "missing", "optional"}
    assert not [finding for finding in found.values() if finding.state == "missing"]


def test_packages_are_those_of_the_project():
    import tomllib

    lines = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    wanted = doctor.requirements()
    assert len(wanted) == len(lines)
    assert all(line.startswith(name) and least in line for line, (name, least) in zip(lines, wanted, strict=True))
    assert all(name in by_name()["packages"].detail for name, _ in wanted)


def test_packages_where_there_is_no_project_file(monkeypatch, tmp_path):
    with_file = doctor.requirements()
    monkeypatch.setenv("TINYTORCH_COURSE_ROOT", str(tmp_path))
    assert {name for name, _ in doctor.requirements()} == {name for name, _ in with_file}


def test_missing_and_old_packages(monkeypatch):
    wanted = [("numpy", "2.0"), ("rich", "9999.1"), ("no-such-library-of-ours", "1.0")]
    monkeypatch.setattr(doctor, "requirements", lambda: wanted)
    found = {finding.name: finding for finding in doctor.packages()}
    assert found["rich"].state == "missing" and "9999.1" in found["rich"].mend
    assert found["no-such-library-of-ours"].state == "missing"
    assert "no-such-library-of-ours>=1.0" in found["no-such-library-of-ours"].mend
    assert "numpy" in found["packages"].detail and "rich" not in found["packages"].detail


@pytest.mark.parametrize(
    ("found", "least", "old"), [("2.10.0", "2.9", False), ("2.9.1", "2.10", True), ("3.0+cpu", "3.0", False)]
)
def test_versions_are_compared_as_numbers(found, least, old):
    assert (doctor._numbers(found) < doctor._numbers(least)) == old


def test_old_python(monkeypatch):
    monkeypatch.setattr(doctor, "OLDEST", (99, 0))
    finding = doctor.python()
    assert finding.state == "missing" and "99.0" in finding.detail and finding.mend


def tool(folder, name, script):
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport sys\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_sandbox_that_exists_and_is_forbidden(tmp_path, monkeypatch):
    tool(tmp_path, "bwrap", "sys.stderr.write('setting up uid map: Permission denied'); sys.exit(1)")
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = doctor.sandbox()
    assert finding.state == "optional" and "Permission denied" in finding.detail and "userns" in finding.mend


def test_sandbox_is_really_run(bwrap_path):
    assert doctor.sandbox().state == "ok"


def test_nothing_on_the_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor.sandbox().state == "optional" and "bubblewrap" in doctor.sandbox().mend
    assert doctor.gpu().state == "optional"


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ("print('NVIDIA GeForce RTX 4070, 12282 MiB')", "ok"),
        ("sys.exit('NVIDIA-SMI has failed because it could not communicate with the driver')", "optional"),
        ("", "optional"),
    ],
)
def test_gpu_is_asked_for(tmp_path, monkeypatch, script, state):
    tool(tmp_path, "nvidia-smi", script)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor.gpu().state == state


def test_tool_that_hangs_is_given_up(tmp_path):
    tool(tmp_path, "slow", "import time; time.sleep(60)")
    status, words = doctor._try([str(tmp_path / "slow")], 0.2)
    assert status == "no answer within 0.2 s" and words == ""


def test_widgets_without_jupyterlabs_half(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor.sys, "prefix", str(tmp_path))
    finding = doctor.widgets()
    assert finding.state == "missing" and "jupyterlab" in finding.mend


def test_empty_folder(tmp_path, monkeypatch, capsys):
    (tmp_path / "tinytorch").mkdir()
    monkeypatch.setenv("TINYTORCH_COURSE_ROOT", str(tmp_path))
    assert cli.main(["doctor", "--json"]) == 1
    out, err = capsys.readouterr()
    document = json.loads(out)
    found = {finding["name"]: finding for finding in document["findings"]}
    assert document["ok"] is False and err == ""
    assert found["exercises"]["state"] == found["solutions"]["state"] == "missing"
    assert found["exercises"]["mend"] and found["solutions"]["mend"]
    assert cli.main(["doctor"]) == 1
    assert "Missing: exercises, solutions." in capsys.readouterr().out


def test_folder_that_is_not_there_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYTORCH_COURSE_ROOT", str(tmp_path / "gone"))
    assert doctor.writing().state == "missing"


def test_read_only_folder(tmp_path, monkeypatch):
    """For root nothing is read-only, so the system's answer is played."""

    def refuse(dir):
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setenv("TINYTORCH_COURSE_ROOT", str(tmp_path))
    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    finding = doctor.writing()
    assert finding.state == "missing" and finding.mend == f"chmod -R u+w '{tmp_path}'"


def test_doctor_works_without_rich(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rich", None)
    assert cli.main(["doctor"]) == 0 and "Python" in capsys.readouterr().out


def test_doctor_says_what_is_here(capsys):
    assert cli.main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "Everything that the course needs is here." in out
    assert [line.split()[:2] for line in out.splitlines()][:2] == [["ok", "Python"], ["ok", "packages"]]
