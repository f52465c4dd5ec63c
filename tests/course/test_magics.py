"""The magics in a real kernel, with files that are edited between two cells."""

import html
import re

import pytest

from tests.course.checkout import RIGHT, UNBROADCAST, Checkout
from tinytorch.course import catalog, magics, render
from tinytorch.course.verdict import Failure, Verdict


class Kernel:
    """A kernel that runs on a copy of the course."""

    def __init__(self, course):
        from jupyter_client.manager import KernelManager

        self.course = course
        self.manager = KernelManager(kernel_name="python3")
        env = course.environment(PYTHONPATH=str(course.root))
        self.manager.start_kernel(cwd=str(course.root / "notebooks"), env=env)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code):
        """What a cell puts out: MIME bundles, streams and errors, in order."""
        outputs = []

        def take(message):
            kind, content = message["msg_type"], message["content"]
            if kind in ("display_data", "execute_result"):
                outputs.append(content["data"])
            elif kind == "stream":
                outputs.append({content["name"]: content["text"]})
            elif kind == "error":
                outputs.append({"error": f"{content['ename']}: {content['evalue']}"})

        self.client.execute_interactive(code, output_hook=take, timeout=60)
        return outputs

    def stop(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    running = Kernel(Checkout(tmp_path_factory.mktemp("kernel")))
    assert running.run("%load_ext tinytorch.course\nimport tinytorch, tinytorch.exercise as contract") == []
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def put_back(kernel):
    pristine = kernel.course.read()
    yield
    kernel.course.write(pristine)
    kernel.run("pass")


def streams(outputs):
    """Standard output and standard error; the order of their pieces is not certain."""
    assert all(set(output) <= {"stdout", "stderr"} for output in outputs), outputs
    return ["".join(output.get(name, "") for output in outputs) for name in ("stdout", "stderr")]


def plain(markup):
    return html.unescape(re.sub(r"<[^>]+>", " ", markup))


def words(text):
    return re.findall(r"\w+", text)


def test_check_shows_the_same_as_html_and_as_text(kernel):
    kernel.course.fill(UNBROADCAST, "return grad")
    kernel.run("pass")  # takes the file over, and says so
    (shown,) = kernel.run(f"%check {UNBROADCAST}")
    assert set(shown) == {"text/plain", "text/html"}
    name = shown["text/plain"].partition("mistake")[2].split()[0]
    (tutor,) = [m.tutor for m in catalog.question(UNBROADCAST).misconceptions if m.name == name]
    for text in (shown["text/plain"], plain(shown["text/html"])):
        assert tutor in text and UNBROADCAST in text and "expected" in text and f"%hint {UNBROADCAST}" in text
    assert sorted(words(plain(shown["text/html"]))) == sorted(words(shown["text/plain"]))


def test_check_of_a_chapter_and_progress(kernel):
    kernel.course.fill(UNBROADCAST, RIGHT)
    kernel.run("pass")
    (shown,) = kernel.run("%check autograd")
    assert shown["text/plain"].count("untouched") == len(catalog.exercises("autograd")) - 1
    (table,) = kernel.run("%progress")
    row = re.search(rf"<tr><td[^>]*>{re.escape(UNBROADCAST)}.*?</tr>", table["text/html"])[0]
    assert "public checks passed" in row and "2/2" in row and "yours" in row
    assert f"{UNBROADCAST}  2/2  public checks passed  yours" in table["text/plain"]
    assert table["text/html"].count("<tr><td") >= len(catalog.exercises())
    (part,) = kernel.run(f"%progress {UNBROADCAST}")
    assert "autograd.mm_backward" not in part["text/plain"]


def test_hints(kernel):
    hints = catalog.question("autograd.mul_backward").hints
    for number, hint in enumerate(hints, start=1):
        (shown,) = kernel.run("%hint mul_backward")
        assert hint in shown["text/plain"] and hint in plain(shown["text/html"])
        assert f"Hint {number} of {len(hints)}" in shown["text/plain"]


@pytest.mark.parametrize("line", ["%check unbrodcast", "%hint", "%hint autograd", "%progress nothing"])
def test_misuse_is_one_line_and_no_traceback(kernel, line):
    (shown,) = kernel.run(line)
    assert "error" not in shown and shown["text/plain"]
    assert plain(shown["text/html"]).strip() == shown["text/plain"]


def test_saved_file_is_taken_over_before_the_next_cell(kernel):
    use = "import numpy as np\nfrom tinytorch.autograd.engine import unbroadcast\n"
    assert kernel.run(f"{use}print(contract.whose('{UNBROADCAST}'), unbroadcast(np.ones((2, 3)), (3,)))") == [
        {"stdout": "reference [2. 2. 2.]\n"}
    ]
    kernel.course.fill(UNBROADCAST, "return 'mine'")
    out, err = streams(kernel.run(f"print(contract.whose('{UNBROADCAST}'), unbroadcast(np.ones((2, 3)), (3,)))"))
    said, answer = out.splitlines()
    assert answer == "yours mine" and err == ""
    assert said == f"tinytorch/autograd/engine.py was read again: {UNBROADCAST}"
    assert kernel.run("1 + 1")[0]["text/plain"] == "2", "nothing is said twice"


def test_file_that_does_not_compile_is_told_in_one_line(kernel):
    kernel.course.fill(UNBROADCAST, "return grad +* 1")
    out, err = streams(kernel.run("print(unbroadcast(np.ones((2, 3)), (3,)))"))
    line = next(n for n, text in enumerate(kernel.course.read().splitlines(), 1) if "+* 1" in text)
    assert err.count("\n") == 1 and f"tinytorch/autograd/engine.py:{line}:" in err
    assert out == "[2. 2. 2.]\n", "the code from before stays in use"


def test_file_that_raises_is_told_in_one_line(kernel):
    kernel.course.write(kernel.course.read() + "\nno_such_name\n")
    out, err = streams(kernel.run("print('still here')"))
    assert err.count("\n") == 1 and "NameError" in err and "no_such_name" in err
    assert out == "still here\n"


def test_loading_twice_registers_one_hook(kernel):
    kernel.run("%load_ext tinytorch.course\n%reload_ext tinytorch.course")
    kernel.course.fill(UNBROADCAST, "return 'mine'")
    out, err = streams(kernel.run("pass"))
    assert out.count("\n") == 1 and err == ""


def test_feedback_is_escaped():
    nasty = "<script>alert('x')</script>\x1b[31m"
    failure = Failure("wrong", nasty, nasty, nasty, nasty, nasty, nasty, nasty, nasty, nasty)
    lines = render.verdict(Verdict("demo.<b>", "90_demo", 1, 0, "in progress", 0.0, 1, failure))
    markup = render.as_html(lines)
    assert "<script" not in markup and "<b>" not in markup and "\x1b" not in markup
    assert "\x1b" not in render.as_text(lines)
    assert "<script" not in magics.of_lines(lines)._repr_html_()
