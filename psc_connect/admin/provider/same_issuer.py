"""The confirmation by a superuser that two declarations of one issuer may differ."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from psc_connect.accounts.matching import is_superuser
from psc_connect.admin import edit_conflicts
from psc_connect.providers.same_issuer import what_they_mean

if TYPE_CHECKING:
    from django.http import HttpRequest

    from psc_connect.providers.same_issuer import Disagreement

# Name of the checkbox.
CONFIRMED = "confirmed_differences"
NOT_CONFIRMED = _("Nothing has been saved: you have not confirmed the differences.")


def is_confirmed(request: HttpRequest, found: list[Disagreement]) -> bool:
    """Return whether nothing must be confirmed, or a superuser has confirmed exactly these disagreements."""
    return not found or (is_superuser(request.user) and request.POST.get(CONFIRMED) == _digest(found))


def explain_disagreements(request: HttpRequest, found: list[Disagreement]) -> str:
    """Return what the disagreements mean, and who can confirm them."""
    if is_superuser(request.user):
        what_to_do = gettext("Confirm it below if both are right.")
    else:
        what_to_do = gettext("Only a superuser can confirm this: use the values of the other declaration, or ask one.")
    return f"{what_they_mean(found)} {what_to_do}"


def confirmation(
    request: HttpRequest, found: list[Disagreement], *, asks_for_secret: bool = False
) -> dict[str, Any] | None:
    """Return the checkbox for the template ``confirm_differences.html``, or None if there is nothing to confirm.

    ``asks_for_secret``: whether the form must be sent with the client secret, which the page does not keep.
    """
    if not (found and is_superuser(request.user)):
        return None
    return {
        "name": CONFIRMED,
        "value": _digest(found),
        "is_checked": is_confirmed(request, found),
        "asks_for_secret": asks_for_secret,
    }


def _digest(found: list[Disagreement]) -> str:
    return edit_conflicts.digest([astuple(each) for each in found])
