"""Base class of psc_configure and psc_import_lemonldap: plans are shown, then applied."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from typing_extensions import override

from psc_connect.administrator_messages import labelled
from psc_connect.configuration.apply import apply_plans, import_missing_keys
from psc_connect.configuration.problems import ConfigurationError, Problem
from psc_connect.fields import SECRET_PROBLEMS, SecretUnavailable
from psc_connect.management.input import REFUSED
from psc_connect.management.output import CommandWithExamples
from psc_connect.models import DeclarationChange
from psc_connect.providers.same_issuer import what_they_mean
from psc_connect.text import escape_control_characters, to_single_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.management.base import CommandParser

    from psc_connect.configuration.plan import Plan
    from psc_connect.models import AccessRule

SOURCE = DeclarationChange.Source.COMMAND
# Longer values, such as whole metadata, are cut.
MAX_WIDTH = 120


class ConfigurationCommand(CommandWithExamples):
    """A command that makes plans from its input, shows them, and applies them unless ``--check``.

    Exit status: 1 if something would change, 2 if there are problems; nothing is saved then.
    """

    # It may configure what a check reports.
    requires_system_checks = ()

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="show what would change, and change nothing")
        parser.add_argument(
            "--replace-issuer",
            action="store_true",
            help="allow an existing provider to change environment or issuer: its keys are deleted, its secret needed",
        )

        parser.add_argument(
            "--confirm-differences",
            action="store_true",
            help="allow declarations of one issuer, with the same accounts, to differ in token endpoint or keys",
        )

    def make_plans(self, options: dict[str, Any]) -> tuple[list[Plan], list[str]]:
        """Return the plans, and lines to write after them. Raises ConfigurationError, CommandError."""
        raise NotImplementedError

    @override
    @sensitive_variables()
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            plans, notes = self.make_plans(options)
            if not options["confirm_differences"]:
                _check_same_issuer(plans)
            self._show(plans)
            if not options["check"]:
                self._apply(plans)
        except ConfigurationError as exc:
            lines = [_("Nothing has been saved."), *(f"- {_text_of(problem)}" for problem in exc.problems)]
            text = "\n".join(escape_control_characters(line) for line in lines)
            raise CommandError(text, returncode=REFUSED) from None
        for line in notes:
            self._write(line)
        if options["check"] and any(plan.has_changes for plan in plans):
            sys.exit(1)

    def _write(self, line: str) -> None:
        self.stdout.write(escape_control_characters(line))

    def _show(self, plans: list[Plan]) -> None:
        if problems := [problem for plan in plans for problem in plan.problems]:
            raise ConfigurationError(*problems)
        for plan in plans:
            for line in _lines_of(plan):
                self._write(line)
            for text in _unknown_codes(plan):
                self._write("  access_rules: " + text)
            # Only shown: it may be set in the process of the site and not in this one.
            if problem := _secret_problem(plan):
                self._write("  client_secret: " + problem)

    def _apply(self, plans: list[Plan]) -> None:
        apply_plans(plans, source=SOURCE)
        for provider, reason in import_missing_keys(plans, source=SOURCE):
            text = _("The keys of %(slug)s could not be imported: the first sign-in will try again. %(reason)s")
            self._write(text % {"slug": provider.slug, "reason": reason})


def _check_same_issuer(plans: list[Plan]) -> None:
    for plan in plans:
        if plan.disagreements:
            text = what_they_mean(plan.disagreements) + " " + _("--confirm-differences allows it.")
            plan.problems.append(Problem(f"{plan.provider.slug}.metadata", text))


def _text_of(problem: Problem) -> str:
    return labelled(problem.where, problem.text) if problem.where else problem.text


def _lines_of(plan: Plan) -> Iterator[str]:
    slug = plan.provider.slug
    if plan.waits_for_secret:
        yield _("%(slug)s: not enabled until it has a client secret") % {"slug": slug}
    if not plan.has_changes:
        yield _("%(slug)s: no changes") % {"slug": slug}
        return
    yield _("%(slug)s: new") % {"slug": slug} if plan.is_new else _("%(slug)s: changes") % {"slug": slug}
    for difference in plan.shown_differences:
        old = "" if difference.old is None else f"{to_single_line(difference.old, MAX_WIDTH)} → "
        new = _("(removed)") if difference.new is None else to_single_line(difference.new, MAX_WIDTH)
        yield "  " + labelled(difference.name, f"{old}{new}")
    if plan.secret is not None:
        yield "  " + labelled("client_secret", plan.secret_description)


def _unknown_codes(plan: Plan) -> Iterator[str]:
    """Yield a warning for each code that is in no table, as the administration does."""
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
