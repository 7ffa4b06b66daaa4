"""Measuring: the works take turns, so that what else the machine does hits all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

ROUNDS = 8
MILLISECONDS = 1000
SHORTEST = 0.02  # seconds of one measurement


def measure(works: Mapping[str, Callable[[], Any]]) -> dict[str, list[float]]:
    """Return the milliseconds that each work takes, one number a round."""
    repeats = {name: repeats_for(work) for name, work in works.items()}
    took: dict[str, list[float]] = {name: [] for name in works}
    for _round in range(ROUNDS):
        for name, work in works.items():
            took[name].append(seconds(work, repeats[name]) / repeats[name] * MILLISECONDS)
    return took


def repeats_for(work: Callable[[], Any]) -> int:
    """Return how often a work is repeated to be measured: as often as fits in a short time, once at least."""
    work()
    return max(1, int(SHORTEST / seconds(work, 1)))


def seconds(work: Callable[[], Any], repeats: int) -> float:
    began = time.perf_counter()
    for _repeat in range(repeats):
        work()
    return time.perf_counter() - began


def print_table(title: str, took: Mapping[str, list[float]], *, unit: str) -> None:
    """Print the least, the median and the greatest time of each work, and its median in medians of ``unit``."""
    one = statistics.median(took[unit])
    print(f"\n{title}\n{'':44}{'least':>10}{'median':>10}{'greatest':>10}  ms   in units of “{unit}”")
    for name, times in took.items():
        median = statistics.median(times)
        print(f"{name:44}{min(times):10.4f}{median:10.4f}{max(times):10.4f}{median / one:11.1f}")
