"""A learner who goes from the first stub to a network that trains through their own code: files and commands alone."""

import json

import pytest

from tests.course import tree
from tests.course.checkout import ENGINE, RIGHT, UNBROADCAST, Checkout
from tinytorch.course import catalog

TRAINING = """
import json, sys
import numpy as np
import tinytorch as torch
import tinytorch.exercise as contract

rng = np.random.default_rng(0)
x = torch.tensor(rng.standard_normal((64, 3)))
y = torch.tensor(np.asarray(x) @ np.array([[2.0], [-3.0], [1.0]]) + 0.5)
w = torch.zeros(3, 1, dtype=torch.float64, requires_grad=True)
b = torch.zeros(1, dtype=torch.float64, requires_grad=True)

ran = {}
def watch(frame, event, argument):
    if event == "call":
        code = frame.f_code
        ran[code] = ran.get(code, 0) + 1

sys.setprofile(watch)
losses = []
for step in range(100):
    loss = ((x.mm(w) + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        for parameter in (w, b):
            parameter -= 0.2 * parameter.grad
            parameter.grad = None
    losses.append(loss.item())
sys.setprofile(None)
print(json.dumps({
    "losses": losses,
    "w": w.detach().numpy().ravel().tolist() + b.detach().numpy().tolist(),
    "whose": {id: contract.whose(id) for id in contract.registry},
    "calls": {id: ran.get(entry.function.__code__, 0) for id, entry in contract.registry.items()},
    "file": {id: entry.function.__code__.co_filename for id, entry in contract.registry.items()},
    "says": contract.runs_on("autograd"),
}))
"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYTORCH_COURSE_ROOT", str(tmp_path))
    return Checkout(tmp_path)


def train(course):
    done = course.python("-c", TRAINING)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def check(course, *names):
    done = course.run("check", "--json", *names)
    assert done.stderr == b"", done.stderr.decode()
    return done.returncode, json.loads(done.stdout)


def test_step_by_step(course):
    # An untouched checkout runs on the reference.
    before = train(course)
    assert set(before["whose"].values()) == {"reference"} and "runs on the reference" in before["says"]
    assert before["w"] == pytest.approx([2.0, -3.0, 1.0, 0.5], abs=1e-3)

    # Find the stub: `status` names file and line, and there it stands.
    done = course.run("status", "--json")
    (row,) = [row for row in json.loads(done.stdout)["exercises"] if row["id"] == UNBROADCAST]
    path, line = row["where"].split(":")
    assert (path, row["state"]) == (ENGINE, "untouched")
    assert f'@exercise("{UNBROADCAST}"' in course.read(path).splitlines()[int(line) - 1]

    # Fill it in wrongly, and read what is wrong.
    pristine = course.read()
    course.fill(UNBROADCAST, "return grad")
    done = course.run("check", "autograd")
    said = done.stdout.decode()
    assert done.returncode == 1 and done.stderr == b""
    part = said[said.index(UNBROADCAST) : said.index("autograd.accumulate ")]
    assert "in progress, 0 of 2 points" in part
    labels = {row[:12].strip(): row[12:].strip() for row in part.splitlines() if row.startswith("  ")}
    assert labels["call"].startswith("unbroadcast(") and labels["expected"] != labels["got"]
    assert labels["expected"].startswith("array(") and labels["got"].startswith("array(")
    (known,) = [m for m in catalog.question(UNBROADCAST).misconceptions if m.name == labels["mistake"]]
    assert known.tutor in part
    assert labels["read"].startswith("notebooks/04_autograd.ipynb")
    assert f"mend {ENGINE}:" in said and "public checks passed: 0 of" in said

    # Training runs through that wrong body: it is really one's own code that runs.
    done = course.python("-c", TRAINING)
    assert done.returncode != 0

    # Mend it, and see it pass.
    course.write(pristine)
    course.fill(UNBROADCAST, RIGHT)
    done = course.run("check", "autograd")
    assert f"{UNBROADCAST}         public checks passed, 2 of 2 points" in done.stdout.decode()
    assert done.returncode == 1, "the other exercises are still to be written"
    assert course.run("check", UNBROADCAST).returncode == 0

    # Training now runs through one's own code, and says so.
    after = train(course)
    assert after["whose"] == before["whose"] | {UNBROADCAST: "yours"}
    assert after["calls"][UNBROADCAST] >= 100
    assert after["file"][UNBROADCAST] == str(course.root / ENGINE)
    assert "your own unbroadcast" in after["says"]
    assert after["w"] == pytest.approx(before["w"], rel=1e-9)

    # The passed exercise is in the table, and its solution may be looked at.
    done = course.run("status", "--json")
    (row,) = [row for row in json.loads(done.stdout)["exercises"] if row["id"] == UNBROADCAST]
    assert (row["state"], row["earned"], row["code"], row["misconception"]) == ("passed", 2, "yours", None)
    assert course.run("solution", UNBROADCAST).returncode == 0


def test_whole_chapter(course):
    """Every exercise written, one after the other; nothing of the reference is left in what trains."""
    entries = catalog.exercises("autograd")
    points = 0
    for entry in entries:
        text = tree.reference(entry)
        body = text[text.index(":\n", text.index("def ")) + 2 :]
        course.fill(entry.id, body)
        points += entry.points
    code, document = check(course, "autograd")
    assert code == 0, [entry["message"] for entry in document["exercises"] if entry["message"]]
    assert document["totals"]["earned"] == document["totals"]["points"] == points
    (course.root / "solutions").rename(course.root / "put_away")
    trained = train(course)
    assert set(trained["whose"].values()) == {"yours"}
    assert trained["w"] == pytest.approx([2.0, -3.0, 1.0, 0.5], abs=1e-3)
    for id in ("backward_pass", "topological_order", "accumulate", "accumulate_grad", "mm_backward"):
        assert trained["calls"][f"autograd.{id}"] >= 100, id


def test_one_mistake_is_judged_alone(course):
    """The engine as it stands ends Python; what is right beside it passes all the same."""
    course.fill(UNBROADCAST, "raise SystemExit('no')")
    course.fill("autograd.accumulate", "return grad if total is None else total + grad")
    code, document = check(course, UNBROADCAST, "accumulate")
    ended, right = document["exercises"]
    assert code == 1
    assert (ended["kind"], ended["earned"]) == ("exited", 0) and "unbroadcast(" in ended["message"]
    assert (right["state"], right["earned"]) == ("passed", 1)
