"""The declaration of the simulator as a provider, which an administrator does in the admin for the real one."""

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
# The second is the slug that the admin proposes for another provider of the simulator.
DECLARED_SLUGS = (SLUG, f"{SLUG}-2")


def make_client(port: int) -> Client:
    """Return this site as a client of the simulator, with the addresses that the admin shows for ANS."""
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


def declare_simulator(discovery_url: str) -> None:
    """Declare the running simulator, or update the metadata and the keys of its declaration."""
    provider, created = Provider.objects.get_or_create(
        slug=SLUG,
        defaults={"environment": Environment.SIMULATOR, "client_id": CLIENT_ID},
    )
    if created:
        add_default_attributes(provider)
    issuer_before = provider.issuer
    provider.metadata = fetch_document(discovery_url)
    # Encrypted again for this issuer.
    provider.client_secret = CLIENT_SECRET
    provider.save(update_fields=["metadata", "client_secret"])
    # The simulator has new keys after every start.
    import_keys(provider)
    # On another port the simulator is another issuer, with the same people. A real issuer never changes.
    Account.objects.filter(issuer=issuer_before).update(issuer=provider.issuer)
