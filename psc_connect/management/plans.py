"""What the commands of the configuration share: a file read, and a plan told as lines of a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from psc_connect.configuration.plan import ConfigurationError, carry_out, missing_keys
from psc_connect.error_messages import labelled, load_document
from psc_connect.fields import SECRET_PROBLEMS, SecretUnavailable
from psc_connect.models import DeclarationChange
from psc_connect.text import escaped, to_single_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from django.core.management.base import CommandParser

    from psc_connect.configuration.plan import Plan, Problem
    from psc_connect.models import AccessRule

ORIGIN = DeclarationChange.Origin.COMMAND
# Exit status; 1 is that of a check which found something to do.
REFUSED = 2
# A whole metadata document stands on one line otherwise.
MAX_WIDTH = 120


def add_common_arguments(parser: CommandParser) -> None:
    parser.add_argument("--check", action="store_true", help="tell what would change, and change nothing")
    parser.add_argument(
        "--replace-issuer",
        action="store_true",
        help="let a provider that exists become one of another environment or issuer; its keys go, its secret is asked",
    )


def load_file(path: str) -> object:
    """Return the JSON of a file, or of standard input for ``-``. Raises CommandError that names line and column."""
    try:
        return load_document(read_file(path))
    except ValidationError as exc:
        raise CommandError(labelled(path, " ".join(exc.messages)), returncode=REFUSED) from None


def read_file(path: str) -> str:
    """Return the text of a file, or of standard input for ``-``. Raises CommandError."""
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        reason = _("it is not text in UTF-8") if isinstance(exc, UnicodeDecodeError) else exc.strerror
        text = _("%(file)s cannot be read: %(reason)s") % {"file": path, "reason": reason}
        raise CommandError(text, returncode=REFUSED) from None


def apply(plans: list[Plan], write: Callable[[str], Any], *, check: bool) -> bool:
    """Tell what changes, and carry it out unless it is only a check; return whether anything changes.

    Raises CommandError with every problem; nothing is saved then.
    """
    refuse([problem for plan in plans for problem in plan.problems])
    for plan in plans:
        for line in lines_of(plan):
            write(line)
        for text in _unknown_codes(plan):
            write("  access_rules: " + text)
        # It may be set where the site runs, and not where this command does.
        if problem := _secret_problem(plan):
            write("  client_secret: " + problem)
    if not check:
        with refusing():
            carry_out(plans, origin=ORIGIN)
        for provider, reason in missing_keys(plans, origin=ORIGIN):
            text = _("The keys of %(slug)s could not be imported: the first sign-in will try again. %(reason)s")
            write(text % {"slug": provider.slug, "reason": reason})
    return any(plan.changes_something for plan in plans)


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what keeps a document from being read, or carried out, into the end of the command."""
    try:
        yield
    except ConfigurationError as exc:
        refuse(exc.problems)


def refuse(problems: Sequence[Problem]) -> None:
    if problems:
        told = [labelled(each.where, each.text) if each.where else each.text for each in problems]
        lines = [_("Nothing has been saved."), *(escaped(f"- {each}") for each in told)]
        raise CommandError("\n".join(lines), returncode=REFUSED)


def lines_of(plan: Plan) -> Iterator[str]:
    slug = plan.provider.slug
    if plan.waits_for_secret:
        yield _("%(slug)s: not enabled before it has a client secret") % {"slug": slug}
    if not plan.changes_something:
        yield _("%(slug)s: nothing changes") % {"slug": slug}
        return
    yield _("%(slug)s: new") % {"slug": slug} if plan.is_new else _("%(slug)s: changes") % {"slug": slug}
    for difference in plan.shown_differences:
        old = "" if difference.old is None else f"{to_single_line(difference.old, MAX_WIDTH)} → "
        new = _("(taken out)") if difference.new is None else to_single_line(difference.new, MAX_WIDTH)
        yield "  " + labelled(difference.name, f"{old}{new}")
    if plan.secret is not None:
        yield "  " + labelled("client_secret", plan.secret_told)


def _unknown_codes(plan: Plan) -> Iterator[str]:
    """What may be a mistake, though it can be saved; the administration says the same of it."""
    for number, rule in enumerate(plan.rows.get("access_rules", []), 1):
        for condition in cast("AccessRule", rule).parsed_conditions:
            for code in condition.unknown_codes:
                text = _("Row %(row)s: no table here has the code %(code)s. It may be newer than the tables.")
                yield text % {"row": number, "code": code}


def _secret_problem(plan: Plan) -> str:
    try:
        plan.provider.secret_for_its_issuer()
    except SecretUnavailable as exc:
        return str(SECRET_PROBLEMS[exc.code])
    return ""
