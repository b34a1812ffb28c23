"""What the writer of LLVM text decides by itself: where an instruction stands, and which loops are none."""

import ctypes

import pytest

from brickwork.graph.llvm.engine import Engine, compile_text
from brickwork.graph.llvm.writer import Writer


def run(w, result, *args):
    """The function of two numbers whose body is written, called."""
    text = "\n".join(
        [*sorted(w.declared), "define i64 @f(i64 %a, i64 %b) {", "entry:", w.text(), f"  ret i64 {result}", "}"]
    )
    engine = Engine(compile_text(text))  # LLVM's verifier sees whether each value reaches its uses
    return ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 2)(engine.address("f"))(*args)


def sums(w, low, high, term, step=1):
    """The sum of ``term(i)``."""
    (total,) = w.loop(low, high, step, lambda i, c: [w.add(c[0], term(i))], [("i64", "0")])
    return total


def depth(w, instruction):
    """In how many loops an instruction stands; each begins with a line ``head..:`` and ends with ``done..:``."""
    inside = 0
    for line in w.text().split("\n"):
        inside += line.startswith("head") - line.startswith("done")
        if instruction in line:
            return inside
    raise AssertionError(f"{instruction} is not in {w.text()}")


def test_what_a_loop_does_not_change_stands_before_it():
    w = Writer()
    total = sums(w, "0", "%a", lambda i: sums(w, "0", "%b", lambda j: w.add(w.mul(i, "3"), w.mul(w.mul("%b", "5"), j))))
    assert depth(w, "mul nsw i64 %b, 5") == 0
    assert [depth(w, text) for text in ("mul nsw i64 %i", ", 3")] == [1, 1]
    assert run(w, total, 4, 3) == sum(3 * i + 5 * 3 * j for i in range(4) for j in range(3))


def test_a_value_made_before_a_loop_is_made_once():
    w = Writer()
    total = sums(w, "0", "%a", lambda i: w.add(sums(w, "0", "%b", lambda j: w.mul("%b", "7")), w.mul("%b", "7")))
    assert w.text().count("mul nsw i64 %b, 7") == 1
    assert run(w, total, 2, 3) == 2 * (3 * 21 + 21)


@pytest.mark.parametrize("a", [0, 1])
def test_branches_do_not_use_what_the_other_made(a):
    """Both compute the same before a loop of their own, so neither value reaches the other."""
    w = Writer()

    def branch(times):
        return lambda: [sums(w, "0", "%b", lambda j: w.mul(w.mul(w.let("add i64 %a, 1"), "3"), times))]

    def both(i):
        made = w.mul(i, "11")
        (got,) = w.branch(
            w.let("icmp eq i64 %a, 0"), lambda: [sums(w, "0", "%b", lambda j: w.mul(made, "2"))], branch("5"), ["i64"]
        )
        return w.add(got, sums(w, "0", "%b", lambda j: w.mul(made, "2")))

    total = sums(w, "0", "4", both)
    twice = sum(3 * 22 * i for i in range(4))
    assert run(w, total, a, 3) == twice + (twice if a == 0 else 4 * 3 * (a + 1) * 15)


def test_one_round_is_no_loop():
    w = Writer()
    assert sums(w, "2", "9", lambda i: w.mul(i, "3"), step=7) == "6"
    assert sums(w, "2", "2", lambda i: w.mul(i, "3")) == "0"
    assert "phi" not in w.text()
    again = sums(w, "2", "9", lambda i: w.mul(i, "3"), step=6)
    assert "phi" in w.text() and run(w, again, 0, 0) == 3 * 2 + 3 * 8


def test_neighbours_share_what_comes_before_their_constants():
    w = Writer()
    total = sums(w, "0", "%a", lambda i: w.add(*(w.affine("4", [(w.add(i, str(k)), 6)]) for k in (1, 2))))
    assert w.text().count("mul") == 1 and run(w, total, 3, 0) == sum(2 * 4 + 6 * (2 * i + 3) for i in range(3))
