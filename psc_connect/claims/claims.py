"""The claims of one login, and beside them what is computed of them, for whatever evaluates a path."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from psc_connect.professional.computed import ROOTS, computed_values
from psc_connect.professional.userinfo import read_userinfo

if TYPE_CHECKING:
    from psc_connect.professional.professional import ActivityChoice, Professional


class Claims(Mapping[str, Any]):
    """As a mapping it is the userinfo and nothing else, as a site's hooks know it: read-only.

    ``document()`` adds the values of ``professional.computed``, in the capacity of the key ``chosen``, or else in the
    first one.
    """

    def __init__(self, sent: Mapping[str, Any], professional: Professional | None = None, chosen: str = "") -> None:
        self._sent = dict(sent)
        self._professional = professional
        self._chosen = chosen

    @classmethod
    def wrap(cls, claims: Mapping[str, Any]) -> Claims:
        """Return the claims as such, also those that a site's hook has put together itself."""
        return claims if isinstance(claims, cls) else cls(claims)

    @override
    def __getitem__(self, name: str) -> Any:
        return self._sent[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._sent)

    @override
    def __len__(self) -> int:
        return len(self._sent)

    @cached_property
    def professional(self) -> Professional:
        return self._professional or read_userinfo(self._sent)

    @cached_property
    def activity_choice(self) -> ActivityChoice | None:
        return self.professional.activity_choice_of(self._chosen) or next(
            iter(self.professional.activity_choices), None
        )

    def document(self, names: Collection[tuple[str, ...]]) -> dict[str, Any]:
        """Return the userinfo, with those computed values that an expression with these names may ask for."""
        # A claim hides what is computed under its name: rows that name it mean what the provider says, also once PSC
        # sends a claim that it does not send today.
        wanted = [chain for chain in names if chain[0] in ROOTS and chain[0] not in self._sent]
        if not wanted:
            return self._sent
        return {**self._sent, **computed_values(self.professional, self.activity_choice, wanted)}
