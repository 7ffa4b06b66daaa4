"""Faults of the provider metadata and of the key set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psc_connect.simulator.faults.mechanism import Stage, fault, replace_members

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@fault(Stage.METADATA)
def metadata_members(
    metadata: dict[str, Any], *, members: Mapping[str, Any] | None = None, drop: Sequence[str] = ()
) -> None:
    """Members of the provider metadata are replaced or left out."""
    replace_members(metadata, members, drop)


@fault(Stage.JWKS)
def jwks_empty(jwks: dict[str, Any]) -> None:
    """The key set is empty."""
    jwks["keys"] = []


@fault(Stage.JWKS)
def jwks_without_keys(jwks: dict[str, Any]) -> None:
    """The key set has no member `keys` (RFC 7517 5.1)."""
    del jwks["keys"]


@fault(Stage.JWKS)
def jwks_more_keys(jwks: dict[str, Any], *, keys: Sequence[Mapping[str, Any]]) -> None:
    """Other keys come before the valid ones, for example broken, weak, symmetric or private ones."""
    jwks["keys"] = [*keys, *jwks["keys"]]


@fault(Stage.JWKS)
def jwks_keys(jwks: dict[str, Any], *, members: Mapping[str, Any], drop: Sequence[str] = ()) -> None:
    """Members of every key are replaced or left out, for example `kid`, `use` or `alg`."""
    for key in jwks["keys"]:
        replace_members(key, members, drop)
