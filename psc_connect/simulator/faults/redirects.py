"""Wrong ways back to the relying party: the authorization response and the return from logout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psc_connect.simulator.faults.registry import Stage, fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psc_connect.simulator.exchange import Callback


@fault(Stage.CALLBACK)
def callback_parameters(callback: Callback, *, add: Sequence[tuple[str, str]] = (), drop: Sequence[str] = ()) -> None:
    """Any parameters left out, then any added: a name may come twice."""
    _drop(callback, drop)
    callback.parameters.extend(add)


@fault(Stage.CALLBACK)
def wrong_iss_in_callback(
    callback: Callback, *, issuer: str = "https://evil.example/auth/realms/esante-wallet"
) -> None:
    """The answer names another issuer: a mix-up (RFC 9207 2.4)."""
    _replace(callback, {"iss": issuer})


@fault(Stage.CALLBACK)
def no_iss_in_callback(callback: Callback) -> None:
    """The answer names no issuer although the metadata promises it (RFC 9207 2.4)."""
    _drop(callback, ("iss",))


@fault(Stage.CALLBACK)
def repeated_parameter(callback: Callback, *, name: str = "state", value: str = "evil") -> None:
    """One parameter comes twice, the wrong value first (RFC 6749 3.1)."""
    callback.parameters.insert(0, (name, value))


@fault(Stage.CALLBACK)
def wrong_state(callback: Callback, *, state: str = "evil") -> None:
    """The answer belongs to a login that this browser did not begin."""
    _replace(callback, {"state": state})


@fault(Stage.CALLBACK)
def no_state(callback: Callback) -> None:
    """The answer belongs to no login in particular."""
    _drop(callback, ("state",))


@fault(Stage.CALLBACK)
def error_and_code(callback: Callback, *, error: str = "access_denied") -> None:
    """The answer says yes and no at once."""
    callback.parameters.append(("error", error))


@fault(Stage.CALLBACK)
def callback_error(callback: Callback, *, error: str = "server_error", description: str = "") -> None:
    """The answer is an error of RFC 6749 4.1.2.1 or OIDC Core 3.1.2.6, or any other text."""
    _drop(callback, ("code", "session_state", "error", "error_description"))
    callback.parameters.insert(0, ("error", error))
    if description:
        callback.parameters.insert(1, ("error_description", description))


@fault(Stage.LOGOUT_RETURN)
def forget_logout_state(callback: Callback) -> None:
    """The return from logout comes without its `state`, as Pro Santé Connect sometimes does."""
    _drop(callback, ("state",))


@fault(Stage.LOGOUT_RETURN)
def wrong_logout_state(callback: Callback, *, state: str = "evil") -> None:
    """The return from logout comes with the `state` of another one."""
    _replace(callback, {"state": state})


def _drop(callback: Callback, names: Sequence[str]) -> None:
    callback.parameters = [(name, value) for name, value in callback.parameters if name not in names]


def _replace(callback: Callback, values: Mapping[str, str]) -> None:
    callback.parameters = [(name, values.get(name, value)) for name, value in callback.parameters]
