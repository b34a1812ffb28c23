"""Trees: one order, and the structure back."""

from collections import namedtuple
from dataclasses import dataclass

import pytest

from brickwork.tensor import BrickworkError
from brickwork.tensor.tree import flatten, leaves, map_tree, unflatten

Point = namedtuple("Point", "x y")


@dataclass
class Pair:
    left: object
    right: object


TREE = {"b": [1, (2, None)], "a": Pair(3, Point(4, {"z": 5})), "none": None, "empty": []}


def test_leaves_in_the_order_of_sorted_keys():
    assert leaves(TREE) == [3, 4, 5, 1, 2]
    paths = [path for path, _ in flatten(TREE)]
    assert paths == [("a", "left"), ("a", "right", 0), ("a", "right", 1, "z"), ("b", 0), ("b", 1, 0)]


def test_unflatten_gives_the_structure_back():
    assert unflatten(TREE, leaves(TREE)) == TREE
    assert list(unflatten(TREE, leaves(TREE))) == list(TREE)
    doubled = map_tree(lambda a, b: a + b, TREE, TREE)
    assert doubled["a"] == Pair(6, Point(8, {"z": 10})) and type(doubled["a"].right) is Point
    assert unflatten(None, []) is None and unflatten(0, [7]) == 7


def test_numbers_of_leaves_must_agree():
    for values, says in (([1], "too few"), (range(9), "too many")):
        with pytest.raises(BrickworkError, match=says):
            unflatten(TREE, values)


def test_trees_to_map_over_have_as_many_leaves():
    with pytest.raises(BrickworkError, match=r"tree: trees to map over .* got 2, 1\. Give"):
        map_tree(lambda x, y: x, [1, 2], [1])
