"""The page that creates a person, from a form or from a pasted userinfo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psc_connect.simulator import pages
from psc_connect.simulator.endpoints.authorization import sign_in
from psc_connect.simulator.pasted_userinfo import read_json
from psc_connect.simulator.person_form import RefusedError, read_form

if TYPE_CHECKING:
    from psc_connect.simulator.app import Simulator
    from psc_connect.simulator.http_messages import Request, Response
    from psc_connect.simulator.people import Person


def create_person(simulator: Simulator, request: Request) -> Response:
    """Show the page; on POST, create the person and sign them in, or show what is invalid."""
    pending = simulator.state.authorization_requests
    interaction = request.parameters.get("interaction", "")
    if interaction not in pending:
        return pages.error(request.language, "unknown_interaction")
    if request.method == "GET":
        return pages.create_person(request.language, interaction=interaction)
    try:
        person = _read(simulator, request)
    except RefusedError as refusal:
        return pages.create_person(
            request.language, interaction=interaction, values=request.form, problems=refusal.problems
        )
    # Only removed now, so that an invalid form can be corrected and sent again.
    authorization = pending.pop(interaction, None)
    if authorization is None:
        return pages.error(request.language, "unknown_interaction")
    return sign_in(simulator, authorization, simulator.created_people.add(person))


def _read(simulator: Simulator, request: Request) -> Person:
    if "json" in request.form:
        return read_json(request.form["json"])
    return read_form(request.form, edit_identifier=simulator.created_people.new_edit_identifier(simulator.now()))
