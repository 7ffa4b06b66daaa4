"""The identity that a provider has authenticated, read from the ID token and the userinfo."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.views.decorators.debug import sensitive_variables

from psc_connect.accounts import identifiers
from psc_connect.exceptions import LoginRefused
from psc_connect.professional.userinfo import MAX_ACTIVITIES, count_activities, read_userinfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psc_connect.accounts.identifiers import Identifier
    from psc_connect.professional.professional import Professional


@dataclass(frozen=True, slots=True)
class VerifiedIdentity:
    """The identity that a provider vouches for.

    ``subject``: the ``sub`` at its issuer. ``claims``: the userinfo. ``professional``: what it says, read.
    """

    subject: str = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)
    professional: Professional = field(repr=False)
    acr: str = ""
    identifiers: tuple[Identifier, ...] = field(default=(), repr=False)

    @classmethod
    @sensitive_variables()
    def read(cls, subject: str, claims: Mapping[str, Any], *, id_token_claims: Mapping[str, Any]) -> VerifiedIdentity:
        """Read the userinfo and the ID token of a login.

        Raises LoginRefused: ``userinfo_activities_too_many``, ``userinfo_identifier_mismatch``,
        ``userinfo_identifiers_contradict``.
        """
        if count_activities(claims) > MAX_ACTIVITIES:
            raise LoginRefused("userinfo_activities_too_many")
        identifiers.check_answers_agree(id_token_claims, claims)
        professional = read_userinfo(claims)
        if means := _text_of(id_token_claims, "authMode"):
            # The userinfo of some people lacks it.
            professional = replace(professional, means=means)
        given = identifiers.identifiers_of(professional)
        identifiers.check_one_rpps(id_token_claims, claims, given)
        acr = _text_of(id_token_claims, "acr")
        return cls(subject, claims, professional, acr, identifiers.limit(given))


def _text_of(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
