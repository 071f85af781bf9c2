"""Counting along rows that stand in the order of time."""

from __future__ import annotations

import numpy as np

from sojourn.records import IntArray


def joint_key(group: IntArray, code: IntArray) -> IntArray:
    """One number for each pair of a group, >= 0, and a code, >= -1; of arrays of one shape."""
    return group * (int(code.max(initial=0)) + 2) + code


def first_of_run(key: IntArray) -> IntArray:
    """The row where the run of equal keys began that each row stands in, (r,) of keys (r,)."""
    row = np.arange(len(key))
    begins = np.zeros(len(key), dtype=np.int64)
    begins[1:] = np.where(key[1:] != key[:-1], row[1:], 0)
    first: IntArray = np.maximum.accumulate(begins)
    return first


def rank_among_equals(key: IntArray) -> IntArray:
    """How many of the rows before have the same key, (r,) of keys (r,)."""
    order = np.argsort(key, kind="stable")  # quick where keys nearly rise
    rank = np.empty(len(key), dtype=np.int64)
    rank[order] = np.arange(len(key)) - first_of_run(key[order])
    return rank
