"""What the browser tests do with a page of JupyterLab."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOKEN = "only-for-this-test"


@dataclass
class Lab:
    """A running JupyterLab, and the course that it shows."""

    address: str
    root: Path

    def open(self, browser: Any, notebook: str, width: int = 1280, height: int = 900) -> Any:
        """A page with a notebook open, the side bar folded away. Requests to other machines are refused."""
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(60_000)
        page.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
        page.goto(f"{self.address}/lab/tree/{notebook}?token={TOKEN}&reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']", state="attached")
        page.keyboard.press("Control+b")
        return page

    def cell(self, page: Any, notebook: str, id: str) -> Any:
        """The cell with an id."""
        cells = json.loads((self.root / notebook).read_text(encoding="utf-8"))["cells"]
        return page.locator(".jp-Notebook .jp-Cell").nth([cell["id"] for cell in cells].index(id))


def run_all(page: Any, seconds: int = 150) -> None:
    """Run, Run All Cells; waits until every cell has run.

    The notebook is committed with its outputs, so a cell that has run looks like one that has not: every prompt is
    marked first, and has run when its mark is gone and no star has taken its place.
    """
    prompts = "[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]"
    page.evaluate(f"() => {prompts}.forEach(prompt => prompt.textContent = 'before')")
    page.locator(".lm-MenuBar-item", has_text=re.compile("^Run$")).click()
    page.locator(".lm-Menu-item", has_text=re.compile("^Run All Cells$")).click()
    done = f"() => {prompts}.every(prompt => !/before|[*]/.test(prompt.textContent))"
    page.wait_for_function(done, timeout=1000 * seconds)


def errors(page: Any) -> list[str]:
    """What cells of the page ended with an error."""
    return page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']").all_inner_texts()
