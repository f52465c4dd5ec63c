"""Known misconceptions on the way through the graph: wrong bodies that people write, and what a tutor says to them.

A body runs in the stub's own module: it uses that module's names and no names of this file.
"""
# ruff: noqa: F821

from __future__ import annotations

from tinytorch.course.question import Bank

mistake = Bank()


@mistake(
    "autograd.topological_order",
    "as-soon-as-met",
    "You list a node as soon as you meet it. A node that is reached on a short way and on a long one then comes "
    "before nodes that still have to send it a gradient. List a node only when all that it leads to is listed, "
    "and turn the list round at the end.",
)
def order_preorder(root):
    order, seen, stack = [], {root}, [root]
    while stack:
        node = stack.pop()
        order.append(node)
        for following, _ in reversed(node.next_functions):
            if following is not None and following not in seen:
                seen.add(following)
                stack.append(following)
    return order


@mistake(
    "autograd.topological_order",
    "level-by-level",
    "You walk level by level, nearest nodes first. A node may be one step away on one path and three steps on "
    "another: it must wait for the longest one. Being near the root does not make it ready.",
)
def order_levels(root):
    order, seen = [root], {root}
    for node in order:
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                order.append(following)
    return order


@mistake(
    "autograd.topological_order",
    "upside-down",
    "Your order is that of the forward pass: what was computed first comes first. Backward starts at the root, so "
    "the same list is needed the other way round.",
)
def order_not_reversed(root):
    order, seen, stack = [], {root}, [(root, iter(root.next_functions))]
    while stack:
        node, edges = stack[-1]
        for following, _ in edges:
            if following is not None and following not in seen:
                seen.add(following)
                stack.append((following, iter(following.next_functions)))
                break
        else:
            order.append(node)
            stack.pop()
    return order


@mistake(
    "autograd.topological_order",
    "walks-by-recursion",
    "The order is right, but the function calls itself once for each node on the way down. A loop of 1,000 "
    "training steps makes a graph deeper than Python's recursion limit: keep a stack of your own, a list.",
)
def order_recursive(root):
    order, seen = [], set()

    def visit(node):
        seen.add(node)
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                visit(following)
        order.append(node)

    visit(root)
    return order[::-1]


@mistake(
    "autograd.topological_order",
    "listed-once-per-path",
    "A node stands in your list once for every path that leads to it, so it would run several times. Remember in "
    "a set which nodes you have met.",
)
def order_no_seen(root):
    order, stack = [], [root]
    while stack:
        node = stack.pop()
        order.append(node)
        stack.extend(following for following, _ in reversed(node.next_functions) if following is not None)
    return order


@mistake(
    "autograd.backward_pass",
    "overwritten",
    "A gradient that arrived earlier in the same place is replaced by the later one. A value that is used twice "
    "gets the sum of both: `accumulate` what is there with what comes.",
)
def pass_overwrites(order, gradients):
    for node in order:
        incoming = gradients.pop(node)
        if all(g is None for g in incoming):
            continue
        for (following, slot), grad in zip(node.next_functions, node(*incoming), strict=True):
            if following is not None and grad is not None:
                gradients[following][slot] = grad


@mistake(
    "autograd.backward_pass",
    "slot-ignored",
    "All gradients go to the first place of the next node. A node with several outputs (chunk, max) has a place "
    "for each: the number beside the node in next_functions says which.",
)
def pass_first_slot(order, gradients):
    for node in order:
        incoming = gradients.pop(node)
        if all(g is None for g in incoming):
            continue
        for (following, _), grad in zip(node.next_functions, node(*incoming), strict=True):
            if following is not None and grad is not None:
                gradients[following][0] = accumulate(gradients[following][0], grad)


@mistake(
    "autograd.backward_pass",
    "unreached-node-called",
    "You call every node of the list. Where no gradient arrived there is nothing to pass on: a node whose places "
    "are all None is skipped.",
)
def pass_calls_all(order, gradients):
    for node in order:
        incoming = gradients.pop(node)
        for (following, slot), grad in zip(node.next_functions, node(*incoming), strict=True):
            if following is not None and grad is not None:
                gradients[following][slot] = accumulate(gradients[following][slot], grad)


@mistake(
    "autograd.backward_pass",
    "first-input-only",
    "Only the first input of each node gets its gradient. next_functions and the results of the node belong "
    "together pair by pair: go through all of them.",
)
def pass_first_input(order, gradients):
    for node in order:
        incoming = gradients.pop(node)
        if all(g is None for g in incoming):
            continue
        outgoing = node(*incoming)
        if outgoing:
            following, slot = node.next_functions[0]
            if following is not None and outgoing[0] is not None:
                gradients[following][slot] = accumulate(gradients[following][slot], outgoing[0])


@mistake(
    "autograd.backward_pass",
    "nothing-taken-out",
    "All results are right, but every gradient stays in the dictionary until the end: a deep network would hold "
    "them all at once. Take a node's list out (`gradients.pop(node)`) when its turn comes.",
)
def pass_keeps(order, gradients):
    for node in order:
        incoming = gradients[node]
        if all(g is None for g in incoming):
            continue
        for (following, slot), grad in zip(node.next_functions, node(*incoming), strict=True):
            if following is not None and grad is not None:
                gradients[following][slot] = accumulate(gradients[following][slot], grad)
