"""The claims of one login together with the values computed from them."""

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
    """The userinfo claims as a read-only mapping, as a site's hooks expect them.

    ``with_computed()`` adds the values of ``professional.computed``, for the activity choice whose key is
    ``chosen``, else for the first one.
    """

    def __init__(self, sent: Mapping[str, Any], professional: Professional | None = None, *, chosen: str = "") -> None:
        self._sent = dict(sent)
        self._professional = professional
        self._chosen = chosen

    @classmethod
    def wrap(cls, claims: Mapping[str, Any]) -> Claims:
        """Return ``claims`` as Claims: a site's hook may have made a mapping of another type."""
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
        chosen = self.professional.activity_choice_of(self._chosen)
        return chosen or next(iter(self.professional.activity_choices), None)

    def with_computed(self, names: Collection[tuple[str, ...]]) -> dict[str, Any]:
        """Return the userinfo plus the computed values of these names, such as ``("profession", "label")``.

        A claim hides a computed value of the same name, so that a new claim of PSC keeps its meaning.
        """
        computed = [name for name in names if name[0] in ROOTS and name[0] not in self._sent]
        if not computed:
            return self._sent
        return {**self._sent, **computed_values(self.professional, self.activity_choice, computed)}
