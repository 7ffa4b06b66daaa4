"""Names that are similar to a misspelt one, compared within the budget."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice
from typing import Final

from psc_connect.claims.budget import TooSlow, current_budget

# Longer names are not compared, and no more than these.
MAX_LENGTH: Final = 64
MAX_NAMES: Final = 200
# Of comparing two names; comparing this many pairs of their characters counts as one more step.
_NAME_STEPS: Final = 10
_PAIRS_PER_STEP: Final = 4


def most_similar(name: str, names: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return the most similar of these names, or "" if none is similar enough or too few steps are left."""
    if len(name) > MAX_LENGTH:
        return ""
    compared = list(islice((each for each in names if len(each) <= MAX_LENGTH), MAX_NAMES))
    pairs = len(name) * sum(map(len, compared))
    try:
        current_budget().spend(_NAME_STEPS * len(compared) + pairs // _PAIRS_PER_STEP)
    except TooSlow:
        return ""
    return next(iter(difflib.get_close_matches(name, compared, n=1, cutoff=cutoff)), "")
