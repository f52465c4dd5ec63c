"""Run notebooks on a clean kernel and write them with their outputs, always the same for the same notebook.

`python -m tinytorch.course.notebooks notebooks/04_autograd.ipynb ...` runs the notebooks named, or all of the course.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from tinytorch.course import catalog
from tinytorch.errors import CourseError

WIDGET = "application/vnd.jupyter.widget-view+json"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def all_notebooks() -> list[Path]:
    """The lessons and the sheets of the course, in order."""
    root = catalog.root()
    return [*sorted((root / "notebooks").glob("*.ipynb")), *sorted((root / "exercises").glob("*.ipynb"))]


def run(path: Path, seconds: int = 300) -> dict[str, Any]:
    """Run a notebook from the top on a fresh kernel; gives it back with its outputs, in the form that is committed."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    folder = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(
        notebook, timeout=seconds, kernel_name="python3", resources=folder, store_widget_state=False
    )
    client.execute()
    return tidy(json.loads(nbformat.writes(notebook)))


def tidy(notebook: dict[str, Any]) -> dict[str, Any]:
    """The committed form: stable cell ids, counted cells, joined streams, a still picture in place of each widget."""
    notebook.update(metadata=METADATA, nbformat=4, nbformat_minor=5)
    taken: set[str] = set()
    count = 0
    for cell in notebook["cells"]:
        cell["source"] = _lines("".join(cell["source"]))
        kept = {name: cell["metadata"][name] for name in ("tags", "tinytorch") if name in cell["metadata"]}
        cell["metadata"] = kept
        if not cell.get("id") or re.fullmatch("[0-9a-f]{8}(-[0-9a-f-]{27})?", cell["id"]) or cell["id"] in taken:
            cell["id"] = _id("".join(cell["source"]), taken)
        taken.add(cell["id"])
        if cell["cell_type"] == "code":
            count += 1
            cell["execution_count"] = count
            cell["outputs"] = [_output(o, count) for o in _joined(cell["outputs"])]
    return notebook


def write(path: Path, notebook: dict[str, Any]) -> None:
    """Write a notebook the way Jupyter does."""
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def _id(source: str, taken: set[str]) -> str:
    """An id made of the cell's first words: `run-backward`, `run-backward-2`."""
    words = re.findall("[a-z0-9]+", source.lower())[:5]
    name = "-".join(words)[:48] or "cell"
    return next(n for n in (name, *(f"{name}-{i}" for i in range(2, 1000))) if n not in taken)


def _joined(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbouring pieces of the same stream as one: how they were cut is a matter of timing."""
    found: list[dict[str, Any]] = []
    for output in outputs:
        if output["output_type"] == "stream":
            output["text"] = "".join(output["text"])
            if found and found[-1].get("name") == output["name"]:
                found[-1]["text"] += output["text"]
                continue
        found.append(output)
    return found


def _output(output: dict[str, Any], count: int) -> dict[str, Any]:
    if "execution_count" in output:
        output["execution_count"] = count
    if "text" in output:
        output["text"] = _lines(output["text"])
    if "data" in output:
        data = output["data"]
        if WIDGET in data and "text/html" not in data:
            raise CourseError("a widget without a still picture: give it a text/html representation")
        output["data"] = {kind: data[kind] for kind in data if kind != WIDGET}
        output["metadata"] = {}
    if output["output_type"] == "error":
        output["traceback"] = [f"{output['ename']}: {output['evalue']}"]
    return output


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def main(arguments: list[str]) -> int:
    for path in [Path(a) for a in arguments] or all_notebooks():
        write(path, run(path))
        print(f"{path}: {path.stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
