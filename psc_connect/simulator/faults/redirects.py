"""Faults of the redirects to the relying party, after authorization and after logout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psc_connect.simulator.faults.mechanism import Stage, fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psc_connect.simulator.http_messages import Callback


@fault(Stage.CALLBACK)
def callback_parameters(callback: Callback, *, add: Sequence[tuple[str, str]] = (), drop: Sequence[str] = ()) -> None:
    """Parameters are left out, then others added; a name may occur twice."""
    _drop(callback, drop)
    callback.parameters.extend(add)


@fault(Stage.CALLBACK)
def wrong_iss_in_callback(
    callback: Callback, *, issuer: str = "https://evil.example/auth/realms/esante-wallet"
) -> None:
    """The response names another issuer: a mix-up attack (RFC 9207 2.4)."""
    _replace(callback, {"iss": issuer})


@fault(Stage.CALLBACK)
def no_iss_in_callback(callback: Callback) -> None:
    """The response names no issuer although the metadata announces it (RFC 9207 2.4)."""
    _drop(callback, ("iss",))


@fault(Stage.CALLBACK)
def repeated_parameter(callback: Callback, *, name: str = "state", value: str = "evil") -> None:
    """One parameter occurs twice, the wrong value first (RFC 6749 3.1)."""
    callback.parameters.insert(0, (name, value))


@fault(Stage.CALLBACK)
def wrong_state(callback: Callback, *, state: str = "evil") -> None:
    """The state is not one that this browser has started a login with."""
    _replace(callback, {"state": state})


@fault(Stage.CALLBACK)
def no_state(callback: Callback) -> None:
    """The response has no state."""
    _drop(callback, ("state",))


@fault(Stage.CALLBACK)
def error_and_code(callback: Callback, *, error: str = "access_denied") -> None:
    """The response contains an error as well as a code."""
    callback.parameters.append(("error", error))


@fault(Stage.CALLBACK)
def callback_error(callback: Callback, *, error: str = "server_error", description: str = "") -> None:
    """The response is an error, of RFC 6749 4.1.2.1, OIDC Core 3.1.2.6 or unknown."""
    _drop(callback, ("code", "session_state", "error", "error_description"))
    callback.parameters.insert(0, ("error", error))
    if description:
        callback.parameters.insert(1, ("error_description", description))


@fault(Stage.LOGOUT_RETURN)
def forget_logout_state(callback: Callback) -> None:
    """The redirect after logout has no state, as Pro Santé Connect sometimes omits it."""
    _drop(callback, ("state",))


@fault(Stage.LOGOUT_RETURN)
def wrong_logout_state(callback: Callback, *, state: str = "evil") -> None:
    """The redirect after logout has another state."""
    _replace(callback, {"state": state})


def _drop(callback: Callback, names: Sequence[str]) -> None:
    callback.parameters = [(name, value) for name, value in callback.parameters if name not in names]


def _replace(callback: Callback, values: Mapping[str, str]) -> None:
    callback.parameters = [(name, values.get(name, value)) for name, value in callback.parameters]
