"""Questions on chapter 04: from local derivatives to the backward pass.

A case holds plain values and arrays; `run` turns them into whatever the exercise takes, in the process that runs it.
The known misconceptions are in `misconceptions/autograd/`.
"""

from __future__ import annotations

import numpy as np

from tinytorch.course.question import Chapter

chapter = Chapter("04_autograd", title="Autograd")


def whole(rng, *shape, dtype=np.float64):
    """Random whole numbers as floats: easy to read, and sums of them are exact."""
    return rng.integers(-9, 10, shape).astype(dtype)


def case_of(op, saved, gradient, exponent=None):
    return dict(op=op, saved=saved, gradient=gradient) | ({} if exponent is None else dict(exponent=exponent))


def run_backward(function, op, saved, gradient, exponent=None):
    """Run forward of the real op, then the exercise on what forward saved."""
    from tinytorch.ops import linalg, pointwise

    kind = getattr(linalg if op == "Mm" else pointwise, op)
    ctx = kind.__new__(kind)
    ctx.forward(*saved, *(() if exponent is None else (exponent,)))
    return function(ctx, gradient)


def show_backward(op, saved, gradient, exponent=None):
    from tinytorch.course.compare import show

    known = ", ".join(f"array of shape {v.shape}" if getattr(v, "size", 1) > 6 else show(v) for v in saved)
    arriving = f"array of shape {gradient.shape}" if gradient.size > 6 else show(gradient)
    n = "" if exponent is None else f", ctx.exponent = {exponent}"
    return f"{op}.backward({arriving}) with ctx.saved = ({known}){n}"


# ---- local derivatives --------------------------------------------------------------------------------------------


@chapter.question("autograd.mul_backward", difficulty=1, minutes=5, lesson="Local derivatives")
class MulBackward:
    hints = (
        "Hold y fixed. How fast does z = x * y grow when x grows? And how fast when y grows and x is fixed?",
        "dz/dx = y and dz/dy = x. The chain rule multiplies each with the gradient that arrives, dz.",
        "`x, y = ctx.saved`, then return two products: the first has y in it, the second has x.",
    )

    def cases(rng):
        yield case_of("Mul", (np.array([3.0]), np.array([5.0])), np.array([2.0]))
        yield case_of("Mul", (whole(rng, 2, 3), whole(rng, 2, 3)), whole(rng, 2, 3))
        yield case_of("Mul", (whole(rng, 3, 1), whole(rng, 4)), whole(rng, 3, 4))
        yield case_of("Mul", (whole(rng, 4, 3).T, whole(rng, 6, 4)[::2]), whole(rng, 3, 4))
        yield case_of("Mul", (whole(rng, 5, dtype=np.float32), 2.5), whole(rng, 5, dtype=np.float32))
        yield case_of("Mul", (np.array(7.0), np.array(-2.0)), np.array(0.5))
        yield case_of("Mul", (whole(rng, 0, 3), whole(rng, 0, 3)), whole(rng, 0, 3))

    run = run_backward
    show = show_backward


@chapter.question("autograd.pow_backward", difficulty=2, minutes=8, lesson="Local derivatives")
class PowBackward:
    hints = (
        "The power rule: the exponent comes down as a factor and is then one smaller.",
        "dy/dx = n * x**(n - 1), times the gradient that arrives. What does that give for n = 0 where x is 0?",
        "`(x,) = ctx.saved` and `n = ctx.exponent`; treat n == 0 by itself: there the gradient is `dy * 0`.",
    )

    def cases(rng):
        yield case_of("PowScalar", (np.array([4.0]),), np.array([1.0]), 2)
        yield case_of("PowScalar", (whole(rng, 2, 3),), whole(rng, 2, 3), 3)
        yield case_of("PowScalar", (np.array([1.0, 4.0, 9.0]),), whole(rng, 3), 0.5)
        yield case_of("PowScalar", (np.array([1.0, -2.0, 4.0]),), whole(rng, 3), -1)
        yield case_of("PowScalar", (whole(rng, 4),), whole(rng, 4), 1)
        yield case_of("PowScalar", (np.array([0.0, 2.0, -3.0]),), np.array([1.0, 5.0, 2.0]), 0)
        yield case_of("PowScalar", (whole(rng, 4, 3).T,), whole(rng, 3, 4), 2)
        yield case_of("PowScalar", (whole(rng, 3, dtype=np.float32),), whole(rng, 3, dtype=np.float32), 3)
        yield case_of("PowScalar", (np.array(3.0),), np.array(2.0), 4)
        yield case_of("PowScalar", (whole(rng, 0, 2),), whole(rng, 0, 2), 2)

    def run(function, **case):
        with np.errstate(all="ignore"):
            found = run_backward(function, **case)
        return found[0] if type(found) is tuple and len(found) == 1 else found

    show = show_backward
    rtol = 1e-5


@chapter.question("autograd.mm_backward", difficulty=3, minutes=12, lesson="Local derivatives")
class MmBackward:
    hints = (
        "Write down the shapes: A is (N, K), B is (K, M), dC is (N, M). dA must be (N, K), dB must be (K, M).",
        "For dA you have dC (N, M) and B (K, M): only dC @ B.T has the shape (N, K). Look for dB in the same way.",
        "dA = dC @ B.T and dB = A.T @ dC. In a product of numbers this is dz * y and dz * x once more.",
    )

    def cases(rng):
        for n, k, m in ((2, 3, 4), (3, 3, 3), (1, 5, 2), (1, 1, 1)):
            yield case_of("Mm", (whole(rng, n, k), whole(rng, k, m)), whole(rng, n, m))
        yield case_of("Mm", (whole(rng, 3, 2).T, whole(rng, 6, 5)[::2]), whole(rng, 2, 5))
        yield case_of("Mm", (whole(rng, 4, 2, dtype=np.float32), whole(rng, 2, 3, dtype=np.float32)),
                      np.broadcast_to(np.float32(1), (4, 3)))  # fmt: skip
        yield case_of("Mm", (whole(rng, 2, 0), whole(rng, 0, 3)), whole(rng, 2, 3))

    run = run_backward
    show = show_backward


# ---- sums over copies ---------------------------------------------------------------------------------------------


@chapter.question("autograd.unbroadcast", difficulty=2, minutes=12, lesson="Un-broadcasting")
class Unbroadcast:
    hints = (
        "Each original element was copied. It influences the loss through every copy, so its gradient is a sum.",
        "Two kinds of axes are to be summed: those that broadcasting put in front (there are grad.ndim - len(shape)), "
        "and those where `shape` has a 1 and grad has more.",
        "Collect the numbers of all these axes in one tuple, sum over it with keepdims=True, and end with "
        ".reshape(shape), which drops the axes in front.",
    )

    def cases(rng):
        for large, small in (
            ((4, 3), (3,)), ((4, 3), (4, 1)), ((2, 3), (2, 3)), ((2, 4, 3), (4, 1)), ((2, 3), (1, 1)), ((5,), ()),
            ((2, 1, 3), (1, 3)), ((3, 1), (3, 1)), ((2, 3, 4, 5), (3, 1, 5)), ((0, 3), (3,)), ((2, 0), (2, 1)),
        ):  # fmt: skip
            yield dict(grad=whole(rng, *large), shape=small, tensor=False)
        yield dict(grad=whole(rng, 3, 4).T, shape=(3,), tensor=False)
        yield dict(grad=whole(rng, 4, 6)[:, ::2], shape=(4, 1), tensor=False)
        yield dict(grad=np.broadcast_to(2.0, (2, 3)), shape=(1, 3), tensor=False)
        yield dict(grad=whole(rng, 2, 3, dtype=np.float32), shape=(3,), tensor=False)
        yield dict(grad=whole(rng, 2, 4, 3), shape=(4, 1), tensor=True)

    def run(unbroadcast, grad, shape, tensor):
        if not tensor:
            return unbroadcast(grad, shape)
        import tinytorch

        found = unbroadcast(tinytorch.tensor(grad), shape)
        return found.numpy() if isinstance(found, tinytorch.Tensor) else found

    def show(grad, shape, tensor):
        return f"unbroadcast({'tensor' if tensor else 'grad'} of shape {grad.shape}, {shape})"


@chapter.question("autograd.accumulate", difficulty=1, minutes=5, lesson="Adding gradients up")
class Accumulate:
    hints = (
        "A value that is used twice gets two gradients. What happens to them? And what if it is the first one?",
        "If total is None there is nothing to add to. Else add, but give back a new array.",
        "`total + grad` makes a new array; `total += grad` writes into one that another node may still hold.",
    )

    def cases(rng):
        yield dict(total=np.array([1.0, 2.0]), grad=np.array([3.0, 4.0]))
        yield dict(total=None, grad=whole(rng, 3))
        yield dict(total=whole(rng, 2, 3) + 20, grad=whole(rng, 2, 3) + 20)
        yield dict(total=whole(rng, 3, 2).T + 20, grad=whole(rng, 2, 6)[:, ::2] + 20)
        yield dict(total=np.array(3.0), grad=np.array(4.0))
        yield dict(total=whole(rng, 4, dtype=np.float32) + 20, grad=whole(rng, 4, dtype=np.float32) + 20)
        yield dict(total=whole(rng, 0, 3), grad=whole(rng, 0, 3))

    def run(accumulate, total, grad):
        before = [None if a is None else a.copy() for a in (total, grad)]
        found = accumulate(total, grad)
        kept = [a is None or np.array_equal(a, b) for a, b in zip((total, grad), before, strict=True)]
        return {"result": found, "total is unchanged": kept[0], "grad is unchanged": kept[1]}


@chapter.question("autograd.accumulate_grad", difficulty=2, minutes=8, lesson="Adding gradients up")
class AccumulateGradOfLeaf:
    hints = (
        "What does a second `backward()` do to `.grad`: replace it, or add to it?",
        "Two cases: `leaf.grad` is None, or there is one already. In the first, whose memory do you store?",
        "First time: `leaf.grad = grad.clone()`. Later: `leaf.grad = leaf.grad + grad`.",
    )

    def cases(rng):
        yield dict(values=whole(rng, 2), grads=[whole(rng, 2) + 20])
        yield dict(values=whole(rng, 2), grads=[whole(rng, 2) + 20, whole(rng, 2) + 20])
        yield dict(values=whole(rng, 2, 3), grads=[whole(rng, 2, 3) + 20 for _ in range(3)])
        yield dict(values=np.array(2.0), grads=[np.array(5.0), np.array(7.0)])
        yield dict(values=whole(rng, 3, 2).T, grads=[whole(rng, 2, 3) + 20, whole(rng, 3, 2).T + 20])
        yield dict(values=whole(rng, 4, dtype=np.float32), grads=[whole(rng, 4, dtype=np.float32) + 20] * 2)
        yield dict(values=whole(rng, 0, 2), grads=[whole(rng, 0, 2)])

    def run(accumulate_grad, values, grads):
        import tinytorch

        leaf, other = (tinytorch.tensor(values, requires_grad=True) for _ in range(2))
        arriving = [tinytorch.tensor(g) for g in grads]
        with tinytorch.no_grad():
            accumulate_grad(leaf, arriving[0])
            accumulate_grad(other, arriving[0])  # as for z = x + y: both get the same array
            for grad in arriving[1:]:
                accumulate_grad(leaf, grad)
        found = [None if t.grad is None else t.grad.numpy().copy() for t in (leaf, other)]
        kept = [np.array_equal(t.numpy(), g) for t, g in zip(arriving, grads, strict=True)]
        shared = other.grad is not None and np.shares_memory(other.grad.numpy(), arriving[0].numpy())
        return {
            "leaf.grad": found[0],
            "the .grad of another leaf, which got the first gradient too": found[1],
            "the gradients that came in are unchanged": all(kept),
            "leaf.grad has memory of its own": not shared,
        }

    def show(values, grads):
        times = {1: "once", 2: "twice"}.get(len(grads), f"{len(grads)} times")
        return f"accumulate_grad(leaf of shape {values.shape}, grad) {times}"


# ---- walking the graph --------------------------------------------------------------------------------------------


class Stop:
    """A node of a made-up graph: it has a name and edges, and multiplies what it gets by a factor for each edge."""

    def __init__(self, name):
        self.name = name
        self.next_functions = ()
        self.factors = ()
        self.log = None

    def __call__(self, *incoming):
        self.log.append([self.name, [None if g is None else np.array(g) for g in incoming]])
        total = sum(g for g in incoming if g is not None) if any(g is not None for g in incoming) else None
        return tuple(None if total is None or f is None else total * f for f in self.factors)

    def __repr__(self):
        return self.name


def build(graph):
    """`{"add": ["mul", "x"], "mul": ["x", None]}` -> the nodes by name."""
    stops = {name: Stop(name) for name in graph}
    for name, edges in graph.items():
        stops[name].next_functions = tuple((stops.get(to), 0) for to in edges)
    return stops


def random_graph(rng, size):
    """Edges lead to later nodes only; the names say nothing about that."""
    names = [f"n{i}" for i in rng.permutation(size)]
    graph = {}
    for i, name in enumerate(names):
        later = names[i + 1 :]
        count = min(len(later), int(rng.integers(1, 4)))
        graph[name] = [str(to) for to in rng.choice(later, count, replace=False)] if later else []
    return graph


@chapter.question("autograd.topological_order", difficulty=4, minutes=25, lesson="The order of the nodes")
class TopologicalOrder:
    hints = (
        "When is a node safe to list last? When everything that it leads to is listed already. So list from the "
        "leaves, and turn the list round at the end.",
        "Keep a stack of pairs: a node, and an iterator over its next_functions. Look at the top: if its iterator "
        "gives a node that you have not met, push that one; if it is exhausted, append the node and pop it.",
        "`for following, _ in edges: if following is not None and following not in seen: ...; break` with `else:` "
        "that appends and pops does one step. At the end `return order[::-1]`.",
    )

    def cases(rng):
        yield dict(graph={"add": ["mul", "x"], "mul": ["x", "y"], "x": [], "y": []})
        yield dict(graph={"root": ["last", "a"], "a": ["b"], "b": ["last"], "last": []})
        yield dict(graph={"root": ["a", "last"], "a": ["b"], "b": ["last"], "last": []})
        yield dict(graph={"mul": ["x", "x"], "x": []})
        yield dict(graph={"sub": [None, "exp", None], "exp": [None], "elsewhere": []})
        yield dict(graph={"leaf": []})
        for size in (6, 9, 12):
            yield dict(graph=random_graph(rng, size))
        yield dict(graph={f"n{i}": [f"n{i + 1}"] if i < 2999 else [] for i in range(3000)})

    def run(topological_order, graph):
        stops = build(graph)
        found = topological_order(next(iter(stops.values())))
        if type(found) is not list:
            return found
        return [node.name if isinstance(node, Stop) else repr(type(node)) for node in found]

    def show(graph):
        if len(graph) > 12:
            return f"topological_order of a chain of {len(graph):,} nodes"
        edges = "; ".join(f"{a} -> {', '.join(map(str, to))}" for a, to in graph.items() if to)
        return f"topological_order({next(iter(graph))}) in the graph {edges or 'of one node'}"

    def judge(case, expected, got):
        graph = case["graph"]
        if not isinstance(got, list):
            return "the result is not a list"
        place = {name: i for i, name in enumerate(got)}
        if set(got) != set(expected):
            missing, extra = sorted(set(expected) - set(got)), sorted(set(got) - set(expected))
            return "; ".join(
                f"{', '.join(names[:5])} {words}"
                for names, words in ((missing, "is missing"), (extra, "does not belong in it"))
                if names
            )
        if len(got) != len(place):
            twice = next(name for name in got if got.count(name) > 1)
            return f"{twice} is listed {got.count(twice)} times"
        for name in got:
            for to in graph[name]:
                if to is not None and place[to] < place[name]:
                    return f"{to} stands before {name}, but {name} sends it a gradient"
        return None


@chapter.question("autograd.backward_pass", difficulty=3, minutes=20, lesson="The backward pass")
class BackwardPass:
    hints = (
        "One loop over the nodes. What has a node received, what does it send, and where does each part go?",
        "`gradients.pop(node)` gives what has arrived. If it is all None, `continue`. Else `node(*incoming)` gives one "
        "gradient for each pair in node.next_functions: go through both together with zip.",
        "For each pair (following, slot) and its grad, if neither is None: "
        "`gradients[following][slot] = accumulate(gradients[following][slot], grad)`.",
    )

    # A graph is name -> (number of outputs, [(next node or None, slot, factor or None), ...]); names are in order.
    def cases(rng):
        one = np.array([1.0])
        yield dict(
            graph={"add": (1, [("mul", 0, 1.0), ("x", 0, 1.0)]), "mul": (1, [("x", 0, 5.0), ("y", 0, 3.0)]),
                   "x": (1, []), "y": (1, [])},
            start=one, outside=[],
        )  # fmt: skip
        chain = {"exp": (1, [("mul", 0, 2.0)]), "mul": (1, [("x", 0, 3.0)]), "x": (1, [])}
        yield dict(graph=chain, start=whole(rng, 3), outside=[])
        thrice = {"f": (1, [("x", 0, 2.0), ("g", 0, 3.0), ("x", 0, 5.0)]), "g": (1, [("x", 0, 7.0)]), "x": (1, [])}
        yield dict(graph=thrice, start=whole(rng, 2, 3) + 20, outside=[])
        split = {"cat": (1, [("chunk", 1, 2.0), ("chunk", 0, 3.0)]), "chunk": (2, [("x", 0, 1.0)]), "x": (1, [])}
        yield dict(graph=split, start=whole(rng, 2) + 20, outside=[])
        second = {"exp": (1, [("chunk", 1, 2.0)]), "chunk": (2, [("x", 0, 1.0)]), "x": (1, [])}
        yield dict(graph=second, start=whole(rng, 2) + 20, outside=[])
        blocked = {"sub": (1, [(None, 0, 1.0), ("floor", 0, 2.0)]), "floor": (1, [("x", 0, None)]), "x": (1, [])}
        yield dict(graph=blocked, start=whole(rng, 2) + 20, outside=[])
        yield dict(graph=thrice, start=whole(rng, 2) + 20, outside=["x"])

    def run(backward_pass, graph, start, outside):
        stops, log = {name: Stop(name) for name in graph}, []
        for name, (_, edges) in graph.items():
            stops[name].log = log
            stops[name].next_functions = tuple((stops.get(to), slot) for to, slot, _ in edges)
            stops[name].factors = tuple(factor for *_, factor in edges)
        gradients = {stops[name]: [None] * outputs for name, (outputs, _) in graph.items()}
        gradients[stops[next(iter(graph))]] = [start]
        backward_pass([stops[name] for name in graph if name not in outside], gradients)
        return {
            "calls": {f"{i}. {name}": incoming for i, (name, incoming) in enumerate(log, start=1)},
            "left in gradients": {node.name: places for node, places in gradients.items()},
        }

    def show(graph, start, outside):
        edges = "; ".join(f"{a} -> {', '.join(str(to) for to, *_ in e)}" for a, (_, e) in graph.items() if e)
        names = ", ".join(name for name in graph if name not in outside)
        return f"backward_pass([{names}], gradients) in the graph {edges}"


# ---- checking ----------------------------------------------------------------------------------------------------

FUNCTIONS = {
    "sum of squares": lambda x: float((x * x).sum()),
    "sum of cubes": lambda x: float((x**3).sum()),
    "square of the sum": lambda x: float(x.sum() ** 2),
    "sum of sines times index": lambda x: float((np.sin(x) * np.arange(1, x.size + 1).reshape(x.shape)).sum()),
}


@chapter.question("autograd.numerical_gradient", difficulty=2, minutes=15, lesson="Finite differences")
class NumericalGradient:
    hints = (
        "The slope at one element: move it a little up, then a little down, and see how much f changes.",
        "`for at in np.ndindex(x.shape)` visits every index, whatever the number of dimensions. Work on a copy of x.",
        "moved[at] = x[at] + eps; above = f(moved); moved[at] = x[at] - eps; below = f(moved); then put x[at] back. "
        "The distance between the two points is 2 * eps.",
    )

    def cases(rng):
        yield dict(f="sum of squares", x=np.array([1.0, 2.0]))
        yield dict(f="sum of cubes", x=whole(rng, 2, 3) + 20, eps=1e-3)
        yield dict(f="square of the sum", x=whole(rng, 3) + 20)
        yield dict(f="sum of sines times index", x=rng.standard_normal((2, 2, 3)))
        yield dict(f="sum of sines times index", x=rng.standard_normal((4, 6)).T[::2])
        yield dict(f="sum of cubes", x=np.array(3.0), eps=1e-3)
        yield dict(f="sum of squares", x=np.zeros((0, 3)))

    def run(numerical_gradient, f, x, **eps):
        before = x.copy()
        found = numerical_gradient(FUNCTIONS[f], x, **eps)
        return {"gradient": found, "x is unchanged": np.array_equal(x, before)}

    def show(f, x, eps=1e-6):
        point = f"x of shape {x.shape}" if x.size > 6 else repr(x)
        return f"numerical_gradient({f}, {point}, eps={eps:g})"

    rtol, atol = 1e-5, 1e-5
