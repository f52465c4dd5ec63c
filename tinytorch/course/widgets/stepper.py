"""The graph stepper: press play and watch the gradients travel back."""

from __future__ import annotations

from html import escape
from typing import Any

from tinytorch.course.widgets.graph_picture import draw
from tinytorch.course.widgets.svg import Picture, table
from tinytorch.course.widgets.trace import Walk, trace
from tinytorch.errors import CourseError

HEAD = ("step", "node that runs", "gradient there", "what it does")


class Stepper:
    """Walks backward through the graph of a small expression, one node at a time.

    With a kernel: buttons, a slider, and a field for an expression of one's own. Without one: the picture after the
    last step, and all steps as a table.

    >>> Stepper("(x + 2)**2 + 3", x=2.0).walk.steps[-1].arrived
    8.0
    """

    def __init__(self, expression: str, **values: float) -> None:
        self.walk = trace(expression, **values)
        self.values = values
        self._controls: Any = None

    @property
    def step(self) -> int:
        """How many steps are shown now."""
        return self._slider.value if self._controls is not None else len(self.walk.steps)

    def picture(self, step: int) -> Picture:
        """The still picture after a number of steps; 0 shows the graph before the first one."""
        return Picture(draw(self.walk, step))

    def still(self, step: int | None = None) -> str:
        """The picture after a step (the last one where none is given) as HTML, with the table of all steps."""
        shown = len(self.walk.steps) if step is None else step
        caption = escape(self.walk.sentence(shown))
        return draw(self.walk, shown).figure(caption, table(HEAD, self.walk.rows(), "All steps as a table"))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        if self._controls is None:
            self._controls = self._build()
        bundle: dict[str, Any] = dict(self._controls._repr_mimebundle_() or {})
        bundle["text/plain"] = _plain(self.walk)
        bundle["text/html"] = self.still()
        return bundle

    def _build(self) -> Any:
        import ipywidgets as widgets

        last = len(self.walk.steps)
        self._picture = widgets.HTML()
        self._play = widgets.Play(max=last, interval=1400, show_repeat=False)
        self._slider = widgets.IntSlider(
            max=last, description="step", continuous_update=True, layout=widgets.Layout(width="22em")
        )
        back = widgets.Button(description="Back", tooltip="One step back", layout=widgets.Layout(width="6em"))
        forward = widgets.Button(description="Step", tooltip="One step on", layout=widgets.Layout(width="6em"))
        back.on_click(lambda _: self._go(-1))
        forward.on_click(lambda _: self._go(+1))
        widgets.jslink((self._play, "value"), (self._slider, "value"))
        self._slider.observe(lambda _: self._show(), "value")
        wide = widgets.Layout(width="18em")
        self._formula = widgets.Text(self.walk.expression, description="compute", continuous_update=False, layout=wide)
        given = ", ".join(f"{name}={value:g}" for name, value in self.values.items())
        self._given = widgets.Text(given, description="with", continuous_update=False, layout=wide)
        self._formula.observe(lambda _: self._anew(), "value")
        self._given.observe(lambda _: self._anew(), "value")
        self._said = widgets.HTML()
        self._show()
        flow = widgets.Layout(flex_flow="row wrap", align_items="center")
        buttons = widgets.Box([self._play, back, forward, self._slider], layout=flow)
        own = widgets.Box([self._formula, self._given], layout=flow)
        return widgets.VBox([own, self._said, buttons, self._picture])

    def _go(self, by: int) -> None:
        self._play.playing = False
        self._slider.value = min(max(self._slider.value + by, 0), self._slider.max)

    def _show(self) -> None:
        words = f'<p aria-live="polite" style="margin:0.4em 0">{escape(self.walk.sentence(self._slider.value))}</p>'
        self._picture.value = words + draw(self.walk, self._slider.value).svg()

    def _anew(self) -> None:
        """Read the two fields; where they make no sense, say so and keep the picture."""
        try:
            values = _read_values(self._given.value)
            self.walk, self.values = trace(self._formula.value, **values), values
        except (CourseError, NotImplementedError, RuntimeError, ValueError) as error:
            self._said.value = f'<p role="alert"><b>Not understood:</b> {escape(str(error))}</p>'
            return
        self._said.value = ""
        self._play.playing = False
        last = len(self.walk.steps)
        self._slider.value = self._play.value = 0
        self._slider.max = self._play.max = last
        self._show()


def _read_values(text: str) -> dict[str, float]:
    """`x=2, y=-1.5` as a dict."""
    found = {}
    for part in filter(str.strip, text.split(",")):
        name, _, value = part.partition("=")
        if not name.strip().isidentifier():
            raise CourseError(f"{part.strip()!r}: write values as x=2, y=3")
        found[name.strip()] = float(value)
    return found


def _plain(walk: Walk) -> str:
    return "\n".join([walk.sentence(0), *(walk.sentence(i + 1) for i in range(len(walk.steps)))])
