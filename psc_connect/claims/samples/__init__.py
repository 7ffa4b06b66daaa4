"""Userinfo claims that the sandbox of Pro Santé Connect sent for five people, to preview a mapping."""

from __future__ import annotations

import json
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.functional import _StrPromise

SAMPLES: Final[Mapping[str, _StrPromise]] = MappingProxyType(
    {
        "doctor-card-two-activities-2023": _("A doctor with a card and two activities (2023)"),
        "doctor-five-activities-2021": _("A doctor with five activities (2021)"),
        "doctor-two-exercices-2022": _("A doctor with two practices (2022)"),
        "podiatrist-2023": _("A podiatrist (2023)"),
        "no-professional-data-2023": _("A person without professional data (2023)"),
    }
)


def load_sample(name: str) -> dict[str, Any]:
    """Return the claims of a sample. Raises KeyError for a name that is not in ``SAMPLES``."""
    if name not in SAMPLES:
        raise KeyError(name)
    sample: dict[str, Any] = json.loads((resources.files(__name__) / f"{name}.json").read_text("utf-8"))
    return sample
