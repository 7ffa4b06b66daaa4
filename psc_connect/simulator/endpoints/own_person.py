"""The page on which the tester makes a person: a form, and a box for a userinfo in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psc_connect.simulator import pages
from psc_connect.simulator.endpoints.authorization import sign_in
from psc_connect.simulator.forms import RefusedError, read_fields
from psc_connect.simulator.pasted_userinfo import read_json

if TYPE_CHECKING:
    from psc_connect.simulator.app import Simulator
    from psc_connect.simulator.exchange import Request, Response
    from psc_connect.simulator.people import Person


def own_person(simulator: Simulator, request: Request) -> Response:
    """By GET the page; by POST the person is kept and signs in, or the page says what is wrong."""
    identifier = request.parameters.get("interaction", "")
    if simulator.state.interaction(identifier) is None:
        return pages.error(request.language, "unknown_interaction")
    if request.method == "GET":
        return pages.own_person(request.language, interaction=identifier)
    try:
        person = _read(simulator, request)
    except RefusedError as refusal:
        return pages.own_person(request.language, interaction=identifier, typed=request.form, problems=refusal.problems)
    # Taken only now: a refused form leaves the page open. Of two presses at once, one finds nothing.
    asked = simulator.state.end_interaction(identifier)
    if asked is None:
        return pages.error(request.language, "unknown_interaction")
    return sign_in(simulator, asked, simulator.own_people.keep(person))


def _read(simulator: Simulator, request: Request) -> Person:
    if "json" in request.form:
        return read_json(request.form["json"])
    return read_fields(request.form, edit_number=simulator.own_people.edit_number(simulator.now()))
