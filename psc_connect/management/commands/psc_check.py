"""Command that tests the connection to providers, for administrators and for monitoring."""

from __future__ import annotations

import sys
from dataclasses import asdict
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils.translation import gettext as _
from typing_extensions import override

from psc_connect.administrator_messages import labelled
from psc_connect.diagnosis import WORDS, Status, check_settings, diagnose, worst
from psc_connect.login.site_urls import declared_addresses
from psc_connect.management.output import readable_json
from psc_connect.models import Provider
from psc_connect.text import escape_control_characters

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from psc_connect.diagnosis import Finding

# The exit statuses of Nagios plugins; 3 is a wrong call.
EXIT_STATUS = {Status.PASSED: 0, Status.NOT_JUDGED: 0, Status.WARNING: 1, Status.FAILED: 2}
UNKNOWN = 3


class Command(BaseCommand):
    help = (
        "Tests the connection to each enabled provider, or to one: names, TLS, metadata, keys, client secret, clock, "
        "addresses; and the site's settings. Changes nothing. Exit status: 0 passed, 1 warning, 2 failed, 3 wrong call."
    )
    requires_system_checks = ()

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", nargs="?", help="the identifier of one provider, enabled or not")
        parser.add_argument("--json", action="store_true", help="write JSON")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            providers = self._providers(options["slug"])
        except DatabaseError:
            text = _("The database does not answer, or is not migrated: nobody can sign in.")
            raise CommandError(text, returncode=EXIT_STATUS[Status.FAILED]) from None
        site = check_settings()
        by_slug = {
            provider.slug: diagnose(provider, declared_addresses(None, provider)).findings for provider in providers
        }
        status = worst([*site, *chain.from_iterable(by_slug.values())])
        if options["json"]:
            self.stdout.write(readable_json(_as_json(site, by_slug, status)))
        else:
            self._write(_("Site"), site)
            for slug, findings in by_slug.items():
                self._write(_("Provider “%(slug)s”") % {"slug": slug}, findings)
        if EXIT_STATUS[status]:
            sys.exit(EXIT_STATUS[status])

    def _providers(self, slug: str | None) -> list[Provider]:
        providers = Provider.objects.filter(slug=slug) if slug else Provider.objects.filter(enabled=True)
        if not providers:
            text = _("There is no provider “%(slug)s”.") % {"slug": slug} if slug else _("No provider is enabled.")
            raise CommandError(text, returncode=UNKNOWN)
        return list(providers)

    def _write(self, title: str, findings: list[Finding]) -> None:
        style = {Status.PASSED: self.style.SUCCESS, Status.WARNING: self.style.WARNING, Status.FAILED: self.style.ERROR}
        words = {status: str(word) for status, word in WORDS.items()}
        width = max(map(len, words.values()))
        self.stdout.write(title)
        for finding in findings:
            word = style.get(finding.status, str)(words[finding.status].ljust(width))
            text = labelled(finding.label, escape_control_characters(finding.text))
            self.stdout.write(f"  {word}  {text} [{finding.code}]")
            if finding.advice:
                self.stdout.write(f"  {' ' * width}  → {escape_control_characters(finding.advice)}")
        self.stdout.write("")


def _as_json(site: list[Finding], by_slug: dict[str, list[Finding]], status: Status) -> dict[str, Any]:
    return {
        "status": status.value,
        "site": [asdict(finding) for finding in site],
        "providers": {slug: [asdict(finding) for finding in findings] for slug, findings in by_slug.items()},
    }
