"""pyproject.toml, environment.yml, uv.lock, the README and the workflows tell the same story."""

import ast
import importlib.metadata
import re
import sys
import tomllib

import pytest
import yaml

from tests import count_lines
from tests.machine import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUN = PROJECT["project"]["dependencies"]
DEVELOP = PROJECT["dependency-groups"]["dev"]
README = (ROOT / "README.md").read_text(encoding="utf-8")

# conda-forge's name -> PyPI's name, where they differ
FROM_CONDA = {"matplotlib-base": "matplotlib", "ml_dtypes": "ml-dtypes", "jupyter_client": "jupyter-client"}
# imported name -> the dependency that brings it, where they differ
BROUGHT_BY = {
    "IPython": "ipykernel",
    "jupyter_client": "ipykernel",
    "ml_dtypes": "ml-dtypes",
    "nbformat": "nbval",
    "sklearn": "scikit-learn",
    "traitlets": "ipywidgets",
}


def name_and_bounds(requirement: str) -> tuple[str, str]:
    """`numpy>=2.2` -> ("numpy", ">=2.2")"""
    found = re.fullmatch(r"([\w.-]+?)\s*([<>=!~].*)?", requirement)
    assert found, requirement
    return found[1], found[2] or ""


def test_conda_environment_is_the_same():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["channels"] == ["conda-forge"]
    (from_pip,) = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert from_pip.pop() == "-e ."
    conda = dict(name_and_bounds(entry) for entry in environment["dependencies"] if isinstance(entry, str))
    assert conda.pop("python") == PROJECT["project"]["requires-python"]
    assert conda.pop("pip") == ""
    assert not {"ml-dtypes", "matplotlib", "jupyter-client"} & set(conda), (
        "conda-forge spells these differently"
    )
    here = {FROM_CONDA.get(name, name): bounds for name, bounds in conda.items()}
    here |= dict(map(name_and_bounds, from_pip))
    assert here == dict(map(name_and_bounds, RUN + DEVELOP))


def test_lock_file_is_of_this_pyproject():
    packages = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    (ours,) = (package for package in packages if package["name"] == PROJECT["project"]["name"])
    locked = {entry["name"]: entry.get("specifier", "") for entry in ours["metadata"]["requires-dist"]}
    locked_dev = {
        entry["name"]: entry.get("specifier", "") for entry in ours["metadata"]["requires-dev"]["dev"]
    }
    assert locked == dict(map(name_and_bounds, RUN))
    assert locked_dev == dict(map(name_and_bounds, DEVELOP))
    assert {package["source"]["registry"] for package in packages if package is not ours} == {
        "https://pypi.org/simple"
    }


def third_party_imports() -> dict[str, str]:
    """Imported package -> a file that imports it, over all of tinytorch/ and exercises/."""
    found = {}
    for folder in ("tinytorch", "exercises"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                else:
                    names = (
                        [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
                    )
                found |= {n.split(".")[0]: path.relative_to(ROOT).as_posix() for n in names}
    ours = {"tinytorch", "solutions", "exercises"}
    return {n: path for n, path in found.items() if n not in sys.stdlib_module_names | ours}


def test_what_is_imported_is_declared():
    declared = {name_and_bounds(requirement)[0] for requirement in RUN}
    undeclared = {
        n: path for n, path in third_party_imports().items() if BROUGHT_BY.get(n, n) not in declared
    }
    assert not undeclared


def test_readme_gives_a_reason_for_every_library():
    rows = re.findall(r"^\| `([\w.-]+)` \| (.+) \|$", README, flags=re.MULTILINE)
    named = [name for name, _ in rows]
    assert sorted(named) == sorted(name_and_bounds(requirement)[0] for requirement in RUN + DEVELOP)
    assert all(len(reason) > 10 for _, reason in rows)


@pytest.mark.parametrize("command", ["uv run tinytorch lab", "uv run pytest"])
def test_readme_and_ci_give_the_same_commands(command: str):
    assert f"\n{command}\n" in README
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert command in workflow


def test_workflow_runs_the_ci_script():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    commands = [step.get("run") for job in workflow["jobs"].values() for step in job["steps"]]
    assert "bash .ci/run" in commands
    assert "uv run pytest" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_readme_numbers_are_counted():
    """To a tenth, or every new line would fail it. To mend: `uv run python -m tests.count_lines --write`"""
    block = README.split(count_lines.BEGIN)[1].split(count_lines.END)[0]
    told = {
        room: int(lines.replace(",", ""))
        for room, lines in re.findall(r"\| ([\w ]+) \| \d+ \| ([\d,]+) \|", block)
    }
    counted = {room: lines for room, (_, lines) in count_lines.count().items()}
    assert told.keys() == counted.keys()
    for room, lines in counted.items():
        assert abs(told[room] - lines) <= max(100, lines // 10), (
            f"{room}: the README tells {told[room]}, there are {lines}"
        )


def test_rounding():
    assert [count_lines.rounded(number) for number in (12_345, 987, 100, 99, 7, 0)] == [
        12_000,
        990,
        100,
        99,
        7,
        0,
    ]


def test_licences():
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    assert "SPDX-License-Identifier: CC-BY-4.0" in (ROOT / "LICENSE-LESSONS").read_text(encoding="utf-8")
    assert PROJECT["project"]["license"] == "MIT AND CC-BY-4.0"
    assert PROJECT["project"]["license-files"] == ["LICENSE", "LICENSE-LESSONS"]


def test_command_is_installed():
    (command,) = importlib.metadata.entry_points(group="console_scripts", name="tinytorch")
    assert callable(command.load())
