"""The provider of the demonstration: what an administrator does by hand in the admin for the real one."""

from __future__ import annotations

from django.urls import reverse

from psc_connect.models import Account, Environment, Provider
from psc_connect.providers.keys import import_keys
from psc_connect.providers.metadata import fetch_document
from psc_connect.providers.validation import add_default_attributes
from psc_connect.simulator import Client

CLIENT_ID = "shared-record"
CLIENT_SECRET = "known-to-everybody-since-it-is-a-demonstration"
SLUG = "psc-simulator"
# The second is for whoever tries the admin's own form, which counts from there.
DECLARED_SLUGS = (SLUG, f"{SLUG}-2")


def client_of(port: int) -> Client:
    """Return this site as it is declared to the simulator: with the addresses that the admin shows for ANS."""
    origins = [f"http://{host}:{port}" for host in ("127.0.0.1", "localhost")]

    def addresses(view: str) -> tuple[str, ...]:
        paths = [reverse(f"psc_connect:{view}", args=[slug]) for slug in DECLARED_SLUGS]
        return tuple(origin + path for origin in origins for path in paths)

    return Client(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        redirect_uris=addresses("callback"),
        post_logout_redirect_uris=addresses("logged_out"),
    )


def declare(discovery_url: str) -> None:
    """Declare the simulator that runs now; what somebody changed in the admin stays, but for metadata and keys."""
    provider, created = Provider.objects.get_or_create(
        slug=SLUG,
        defaults={
            "environment": Environment.SIMULATOR,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        },
    )
    if created:
        add_default_attributes(provider)
    issuer_before = provider.issuer
    provider.metadata = fetch_document(discovery_url)
    provider.save(update_fields=["metadata"])
    # Its keys are new at every start.
    import_keys(provider)
    # On another port it is another issuer, although the same invented people: an issuer never moves in real life.
    Account.objects.filter(issuer=issuer_before).update(issuer=provider.issuer)
