"""JupyterLab is started, found, and ended: with ports that are taken, and without leaving a process behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager

import pytest

from tests.course.checkout import Checkout
from tests.machine import ROOT
from tinytorch.course import lab
from tinytorch.errors import CourseError

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def listening(port=0):
    """Somebody who uses a port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        yield taken.getsockname()[1]


def test_port_that_is_taken_is_found_out():
    with listening() as port:
        assert not lab.is_free(port)
        assert lab.free_port(port) != port
    assert lab.is_free(port) and lab.free_port(port) == port


def test_any_port_where_all_near_ones_are_taken(monkeypatch):
    monkeypatch.setattr(lab, "is_free", lambda port: False)
    assert lab.free_port(65_530) > 0


def test_command_line(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setattr(lab.os, "geteuid", lambda: 1000, raising=False)
    line = lab.command(8899, True, tmp_path)
    assert line[:3] == [sys.executable, "-m", "jupyterlab"]
    assert "--ServerApp.port=8899" in line and f"--ServerApp.root_dir={tmp_path}" in line
    assert "--no-browser" not in line and "--allow-root" not in line
    assert "--LabApp.default_url=/lab" in line, "no lesson there yet"
    (tmp_path / lab.LESSON).write_text("{}")
    monkeypatch.setattr(lab.os, "geteuid", lambda: 0, raising=False)
    line = lab.command(8899, False, tmp_path)
    assert "--no-browser" in line and "--allow-root" in line
    assert "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb" in line


def test_token_is_not_on_the_command_line():
    env = lab.environment(ROOT, "secret")
    assert env["JUPYTER_TOKEN"] == "secret" and env["PYTHONPATH"].split(os.pathsep)[0] == str(ROOT)
    assert not any("secret" in part or "token" in part for part in lab.command(8888, False, ROOT))


def test_server_that_does_not_start(monkeypatch):
    monkeypatch.setattr(lab, "command", lambda *args: [sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(CourseError, match="did not start"):
        lab.run(None, False, print, print)


def test_port_taken_between_look_and_start(monkeypatch):
    """Every start finds its port taken by somebody quicker: another one is tried, and in the end it is said."""
    tried = []

    def command(port, browser, root):
        tried.append(port)
        return [sys.executable, "-c", "raise SystemExit(1)"]

    monkeypatch.setattr(lab, "command", command)
    monkeypatch.setattr(lab, "is_free", lambda port: False)
    with pytest.raises(CourseError, match="no port could be taken"):
        lab.run(None, False, lambda words: None, print)
    assert len(tried) == 5


def ask(url):
    with DIRECT.open(url, timeout=20) as answer:
        return answer.read()


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return Checkout(tmp_path_factory.mktemp("lab"))


@pytest.mark.skipif(os.name != "posix", reason="ends the server by signals")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_lab_from_start_to_end(course, ending):
    runtime = course.root / ".runtime"
    with listening() as taken:
        process = subprocess.Popen(
            [sys.executable, "-m", "tinytorch", "lab", "--no-browser", "--print-url", "--port", str(taken)],
            cwd=course.root,
            env=course.environment(JUPYTER_CONFIG_DIR=str(course.root / ".jupyter"), JUPYTER_RUNTIME_DIR=str(runtime)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            url = process.stdout.readline().strip()
            parts = urllib.parse.urlsplit(url)
            assert parts.port != taken, "the port was in use"
            server, token = f"http://127.0.0.1:{parts.port}", urllib.parse.parse_qs(parts.query)["token"][0]
            assert b"jupyter-config-data" in ask(url), "the page of JupyterLab"
            with pytest.raises(urllib.error.HTTPError, match="403"):
                ask(f"{server}/api/contents/tinytorch?content=0")
            found = json.loads(ask(f"{server}/api/contents/tinytorch/autograd/engine.py?content=0&token={token}"))
            assert found["name"] == "engine.py", "stubs can be opened beside the lessons"
            request = urllib.request.Request(f"{server}/api/kernels?token={token}", data=b'{"name": "python3"}')
            kernel = json.loads(ask(request))
            assert kernel["id"] in _all_command_lines()
            printed = run_in_kernel(
                runtime / f"kernel-{kernel['id']}.json", "import tinytorch; print(tinytorch.__file__)"
            )
            assert printed.strip() == str(course.root / "tinytorch" / "__init__.py")
            process.send_signal(ending)
            out, err = process.communicate(timeout=60)
        finally:
            if process.poll() is None:
                process.terminate()
    assert process.returncode == 0, err
    assert out == "", "the address, and nothing else"
    assert f"port {taken} is in use; taking {parts.port}" in err and token not in err
    assert "Traceback" not in err
    assert lab.is_free(parts.port), "the server is gone"
    assert kernel["id"] not in _all_command_lines(), "its kernel is gone too"


def run_in_kernel(connection_file, code):
    """Run code in a kernel that somebody else started; what it prints."""
    from jupyter_client import BlockingKernelClient

    client = BlockingKernelClient(connection_file=str(connection_file))
    client.load_connection_file()
    client.start_channels()
    printed = []
    try:
        client.wait_for_ready(timeout=60)
        client.execute_interactive(
            code, timeout=60, output_hook=lambda message: printed.append(message["content"].get("text", ""))
        )
    finally:
        client.stop_channels()
    return "".join(printed)


def _all_command_lines():
    return subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, timeout=20).stdout


def test_without_print_url_standard_output_stays_empty(monkeypatch, capsys):
    from tinytorch.course import cli

    def run(port, browser, tell, show_url):
        show_url(f"http://127.0.0.1:{port}/lab?token=t")
        assert browser is True
        return 0

    monkeypatch.setattr(lab, "run", run)
    assert cli.main(["lab", "--port", "9000"]) == 0
    out, err = capsys.readouterr()
    assert out == "" and "http://127.0.0.1:9000/lab?token=t" in err
