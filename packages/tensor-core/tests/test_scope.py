"""The path of names around an op: nested, put back after errors, and kept by gradients of what was recorded in it."""

import threading

import pytest

import brickwork.tensor as bt
from brickwork.tensor.scope import current_scope, named, names
from brickwork.tensor.trace import Trace, current, use


def test_paths_nest_and_are_put_back():
    assert current_scope() == ""
    with named("net"):
        with named("dense"):
            assert current_scope() == "net/dense"
        with pytest.raises(ZeroDivisionError), named("other"):
            raise ZeroDivisionError
        assert current_scope() == "net"
    assert current_scope() == ""


def test_each_thread_has_its_own():
    seen = []
    with named("here"):
        thread = threading.Thread(target=lambda: seen.append(current_scope()))
        thread.start()
        thread.join()
    assert seen == [""]


class Listening(Trace):
    """Computes, and notes in which scope each op was asked for."""

    def __init__(self):
        self.parent, self.heard = current(), []

    def process(self, op, args, params):
        self.heard.append((op.name, current_scope()))
        return self.parent.process(op, args, params)


def test_gradients_are_of_the_layer_that_asked_for_the_op():
    def fn(x):
        with named("net"), named("inner"):
            y = bt.tanh(x)
        return bt.sum(y * 2.0)

    x = bt.ones(3)
    with use(Listening()) as trace:
        bt.grad(fn)(x)
    places = {scope for _, scope in trace.heard}
    assert ("tanh", "net/inner") in trace.heard and places == {"", "net/inner", "net/inner/gradient"}


def test_a_failing_gradient_puts_the_path_back():
    fn = bt.custom_gradient(lambda x: (x * 1.0, lambda g: 1 / 0))

    def inside(x):
        with named("net"):
            return bt.sum(fn(x))

    with pytest.raises(ZeroDivisionError):
        bt.grad(inside)(bt.ones(2))
    assert names.path == ()
