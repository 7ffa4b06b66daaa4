"""Everybody whose userinfo the project has: the payloads of PSC's sandbox, and the simulator's people."""

from __future__ import annotations

from typing import Any

from psc_connect.samples import SAMPLES, load_sample
from psc_connect.simulator.people import PEOPLE

EVERYBODY: dict[str, dict[str, Any]] = {
    **{name: load_sample(name) for name in SAMPLES},
    **{person.slug: person.claims() for person in PEOPLE},
}
