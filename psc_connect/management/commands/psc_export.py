"""Command that writes providers as the JSON that ``psc_configure`` reads, without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from typing_extensions import override

from psc_connect.management.output import readable_json
from psc_connect.models import Provider
from psc_connect.providers.serialization import exported

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = "Writes all providers, or the named ones, as the JSON that psc_configure reads. Secrets are not included."
    requires_system_checks = ()

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", nargs="*", help="identifiers of providers (default: all)")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        providers = list(
            Provider.objects.filter(slug__in=options["slug"]) if options["slug"] else Provider.objects.all()
        )
        found = {provider.slug for provider in providers}
        if unknown := [slug for slug in options["slug"] if slug not in found]:
            raise CommandError(_("There is no provider “%(slug)s”.") % {"slug": "”, “".join(unknown)})
        self.stdout.write(readable_json(exported(providers)))
