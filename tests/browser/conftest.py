"""A JupyterLab on a copy of the course, and a Chromium to look at it with."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.page import TOKEN, Lab
from tests.notebooks.checkout import copy_course, environment

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # all cells stay in the page, in view or not
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
FOLDERS = (
    "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR",
)  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(address: str) -> bool:
    try:
        urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=2).close()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    return True


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A running JupyterLab that shares no settings with the person whose machine this is."""
    root = copy_course(tmp_path_factory.mktemp("lab"))
    port, home = free_port(), root / "home"
    folders = {name: str(home / name.lower()) for name in FOLDERS}
    for name, value in SETTINGS.items():
        path = Path(folders["JUPYTERLAB_SETTINGS_DIR"], "@jupyterlab", f"{name}.jupyterlab-settings")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value), encoding="utf-8")
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
    command += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={root}", "--ServerApp.port_retries=0"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    with (root / "lab.log").open("w") as log:
        server = subprocess.Popen(command, cwd=root, env=environment(root, **folders), stdout=log, stderr=log)
        try:
            running = Lab(f"http://127.0.0.1:{port}", root)
            until = time.monotonic() + 90
            while not answers(running.address):
                assert server.poll() is None and time.monotonic() < until, (root / "lab.log").read_text()[-3000:]
                time.sleep(0.25)
            yield running
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()


@pytest.fixture(scope="module")
def chromium(chromium_path: str) -> Iterator[object]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright  # a development dependency: never left out in silence

    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium_path, args=list(FLAGS))
        yield browser
        browser.close()
