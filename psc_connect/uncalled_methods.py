"""The methods of mozilla-django-oidc's backend that psc_connect never calls, each with what to override instead.

The override of such a method in a site's subclass has no effect. A system check names it (``psc_connect.E026``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from django.utils.translation import gettext_noop as _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeVar

    C = TypeVar("C", bound=type[Any])

_REQUESTS: Final = _(
    "Delete the override: psc_connect makes the requests to the provider itself. The hooks receive the userinfo."
)
_SIGNATURES: Final = _("Delete the override: psc_connect verifies signatures itself, with the keys of the provider.")

METHODS: Final[Mapping[str, str]] = {
    "_verify_jws": _SIGNATURES,
    "describe_user_by_claims": _("Delete the override: no log line describes a person."),
    "get_or_create_user": _("Override filter_users_by_claims, create_user or update_user."),
    "get_payload_data": _SIGNATURES,
    "get_settings": _("Delete the override: the settings of a provider are in the admin."),
    "get_token": _REQUESTS,
    "get_userinfo": _REQUESTS,
    "get_username": _("Override create_user, or declare an exported attribute for the username."),
    "raise_token_response_error": _REQUESTS,
    "retrieve_matching_jwk": _SIGNATURES,
    "store_tokens": _("Delete the override: psc_connect stores the ID token itself, and no access token."),
    "verify_token": _("Override verify_claims to refuse a person. psc_connect validates the ID token itself."),
}


def raise_when_called(cls: C) -> C:
    """Decorate our backend: each of the methods that it does not define raises NotImplementedError."""
    for name in METHODS.keys() - vars(cls).keys():
        setattr(cls, name, _raising(name))
    return cls


def _raising(name: str) -> Callable[..., NoReturn]:
    def method(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"psc_connect does not use {name}. {METHODS[name]}")

    return method


def ignored_overrides(cls: type, *, ours: type) -> Iterator[tuple[str, str]]:
    """Yield ``(class, method)`` of each override without effect, in ``cls`` and its bases that are not ours."""
    for subclass in (each for each in cls.__mro__ if each not in ours.__mro__):
        for name in sorted(METHODS.keys() & vars(subclass).keys()):
            yield subclass.__qualname__, name
