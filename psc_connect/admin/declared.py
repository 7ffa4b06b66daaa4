"""What the people who run the site must declare to ANS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import NoReverseMatch

from psc_connect import origin
from psc_connect.exceptions import LoginRefused

if TYPE_CHECKING:
    from django.http import HttpRequest

    from psc_connect.models import Provider


@dataclass(frozen=True, slots=True)
class DeclaredAddresses:
    """The exact addresses, or the code of what keeps them from being known."""

    redirect_uri: str = ""
    post_logout_redirect_uri: str = ""
    problem: str = ""


def declared_addresses(request: HttpRequest, provider: Provider) -> DeclaredAddresses:
    try:
        return DeclaredAddresses(
            redirect_uri=origin.redirect_uri(request, provider),
            post_logout_redirect_uri=origin.post_logout_redirect_uri(request, provider),
        )
    except LoginRefused as exc:
        return DeclaredAddresses(problem=exc.code)
    except NoReverseMatch:
        return DeclaredAddresses(problem="urls_missing")
