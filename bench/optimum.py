# SPDX-License-Identifier: AGPL-3.0-or-later
"""The least weighted tardiness that any order of fluid work can have: a transport problem of lots and slots of time, by HiGHS."""
import numpy
from scipy.optimize import linprog
from scipy.sparse import coo_matrix


def weight(priority):
    return 10.0 ** (5 - priority)


def grouped(lots):
    """Lots of the same priority and due date are one."""
    work = {}
    for priority, due, core_ms in lots:
        work[priority, due] = work.get((priority, due), 0.0) + core_ms
    return [(priority, due, core_ms) for (priority, due), core_ms in sorted(work.items())]


def cuts(groups, cores, grid):
    """Slots of time: a grid until all is done, and every due date."""
    end = sum(core_ms for _, _, core_ms in groups) / cores
    times = {end * i / grid for i in range(grid + 1)} | {due for _, due, _ in groups if due < end}
    return numpy.array(sorted(times))


def optimum(lots, cores, grid=800):
    """Sum of weight * core_ms * lateness. Work in a slot is as late as the slot's middle."""
    groups = grouped(lots)
    times = cuts(groups, cores, grid)
    middle, capacity = (times[1:] + times[:-1]) / 2, numpy.diff(times) * cores
    n, m = len(groups), len(middle)
    cost = numpy.array([weight(p) * numpy.maximum(0.0, middle - due) for p, due, _ in groups])
    work = numpy.array([core_ms for _, _, core_ms in groups])
    unit, time = work.sum() / n, middle[-1]  # so that numbers are near one
    row, column = numpy.repeat(numpy.arange(n), m), numpy.tile(numpy.arange(m), n)
    ones = numpy.ones(n * m)
    done = linprog(cost.ravel() / time, method="highs",
                   A_eq=coo_matrix((ones, (row, numpy.arange(n * m)))), b_eq=work / unit,
                   A_ub=coo_matrix((ones, (column, numpy.arange(n * m)))), b_ub=capacity * (1 + 1e-9) / unit)
    if done.status:
        raise RuntimeError(f"the optimum: {done.message}")
    return done.fun * unit * time
