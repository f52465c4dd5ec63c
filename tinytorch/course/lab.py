"""`tinytorch lab`: JupyterLab in a process of its own, open at the first lesson, ended cleanly with this one."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from tinytorch.course import catalog
from tinytorch.errors import CourseError

FIRST_PORT = 8888
PORTS_TRIED = 50
START_SECONDS = 90.0
END_SECONDS = 15.0
LESSON = "notebooks/00_start_here.ipynb"


class PortTaken(CourseError):
    """Somebody took the port between our look and the server's."""


class _Ended(BaseException):
    """A signal asked this process to end."""


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of this machine now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        if os.name == "posix":  # as the server does: a port that was just given back counts as free
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(wanted: int) -> int:
    """The wanted port, or the next one above it that is free, or else any that is."""
    for port in range(wanted, min(wanted + PORTS_TRIED, 65536)):
        if is_free(port):
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    return int(port)


def command(port: int, browser: bool, root: Path) -> list[str]:
    """The command line of the server: this Python, this course's folder, the first lesson."""
    options = {
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,  # a port that is taken is our matter: we must know which one it is
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.root_dir": root,
        "Application.log_level": "ERROR",
        "LabApp.default_url": lesson_path(root),
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    line = [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]
    if not browser:
        line.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        line.append("--allow-root")  # Jupyter refuses to run as root without it
    return line


def lesson_path(root: Path) -> str:
    """Where in JupyterLab the course begins."""
    return f"/lab/tree/{LESSON}" if (root / LESSON).exists() else "/lab"


def environment(root: Path, token: str) -> dict[str, str]:
    """The server's environment: the token (no other user can read it there), and a path on which kernels find us."""
    paths = [str(root), os.environ.get("PYTHONPATH", "")] if (root / "tinytorch").is_dir() else [""]
    known = dict(os.environ, JUPYTER_TOKEN=token)
    if any(paths):
        known["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return known


def run(port: int | None, browser: bool, tell: Callable[[str], None], show_url: Callable[[str], None]) -> int:
    """Start JupyterLab, say where it is, and stay until it ends or Ctrl-C is pressed.

    Args:
        port: the port wanted, None for 8888; where it is taken the next free one is used, and `tell` says so.
        tell: takes a line for people.
        show_url: takes the address with its token, once the server answers.

    Raises:
        CourseError: where JupyterLab is missing, does not start, or ends with an error.
    """
    root = catalog.root()
    wanted = FIRST_PORT if port is None else port
    before = {name: signal.signal(name, _end) for name in _signals()}
    before[signal.SIGINT] = signal.getsignal(signal.SIGINT)
    try:
        for _ in range(5):
            free = free_port(wanted)
            if free != wanted:
                tell(f"port {wanted} is in use; taking {free}")
            try:
                return _serve(free, browser, root, tell, show_url)
            except PortTaken:
                wanted = free
        raise CourseError(f"no port could be taken; the last one tried was {wanted}")
    except _Ended:
        return 0
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _serve(
    port: int, browser: bool, root: Path, tell: Callable[[str], None], show_url: Callable[[str], None]
) -> int:
    token = secrets.token_hex(24)
    server = subprocess.Popen(
        command(port, browser, root),
        cwd=root,
        env=environment(root, token),
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr.fileno(),
        start_new_session=os.name == "posix",  # Ctrl-C is for us: Jupyter would ask whether it is meant
    )
    try:
        _wait_until_it_answers(server, port, token)
        show_url(f"http://127.0.0.1:{port}{lesson_path(root)}?token={token}")
        tell("JupyterLab is running. Ctrl-C ends it")
        status = server.wait()
        if status:
            raise CourseError(f"JupyterLab ended with status {status}; its own words are above")
        return 0
    except (KeyboardInterrupt, _Ended):
        tell("ending JupyterLab")
        return 0
    finally:
        _stop(server)


def _wait_until_it_answers(server: subprocess.Popen[bytes], port: int, token: str) -> None:
    ask = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/status", headers={"Authorization": f"token {token}"}
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            if not is_free(port):
                raise PortTaken(f"port {port} was taken")
            raise CourseError(
                "JupyterLab did not start; its own words are above. `tinytorch doctor` looks further"
            )
        try:
            with direct.open(ask, timeout=5) as answer:
                json.load(answer)
                return
        except urllib.error.HTTPError as error:  # somebody else's server answered there
            raise PortTaken(f"port {port} is answered by another server ({error.code})") from None
        except (OSError, ValueError):
            time.sleep(0.1)
    raise CourseError(f"JupyterLab gave no answer on port {port} within {START_SECONDS:.0f} s")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Ask the server to end, so that it ends its kernels; insist when it does not."""
    if server.poll() is None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # nobody may break this off and leave the server behind
        server.terminate()
        try:
            server.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _signals() -> list[signal.Signals]:
    """What asks this process to end, besides Ctrl-C: a plain kill, and a terminal that is closed."""
    names = ("SIGTERM", "SIGHUP")
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def _end(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # once is enough: the server is being ended
    raise _Ended
