from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from psc_connect.environments import load_metadata
from psc_connect.models import Provider
from psc_connect.providers.validation import add_default_attributes
from psc_connect.simulator import Client, Simulator, run_simulator
from tests.admin.pages import Administrator, administrator
from tests.oidc.raw_server import bundle
from tests.support.browser_session import HOST, BrowserSession
from tests.support.log_recorder import RECORDER, record_simulator
from tests.support.people import export_plain_usernames
from tests.support.stored_keys import store_keys
from tests.support.tls_provider import Serving, tls_providers
from tests.support.two_issuers import NEW, OLD, TwoIssuers

CLIENT_ID = "the-client"
CLIENT_SECRET = "the-client-secret-e7c1"
SLOW_FIXTURES = {"db", "transactional_db", "simulator", "running_simulator", "serve"}
# The tests of each of these folders use one server, and run in one process.
SERVER_FOLDERS = {"browser", "interop", "servers"}


@pytest.fixture(scope="session")
def running_simulator() -> Iterator[Simulator]:
    with run_simulator() as simulator:
        yield record_simulator(simulator)


@pytest.fixture
def simulator(running_simulator: Simulator) -> Iterator[Simulator]:
    """A simulator with one client, whose person is the podiatrist."""
    simulator = running_simulator
    simulator.faults.clear()
    simulator.end_sessions()
    simulator.clock_offset = 0.0
    simulator.register(client_of())
    simulator.sign_in("podiatrist")
    simulator.clear_requests()
    published = list(simulator.keys.published)
    yield simulator
    simulator.faults.clear()
    # A test may have changed the keys.
    simulator.keys.published = published


def client_of(slug: str = "psc", host: str = HOST, **changes: Any) -> Client:
    values = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": (f"{host}/psc/{slug}/callback/",),
        "post_logout_redirect_uris": (f"{host}/psc/{slug}/logged-out/",),
    }
    return Client(**{**values, **changes})


def make_provider(simulator: Simulator, slug: str = "psc", **changes: Any) -> Provider:
    """Return a provider as the administrator's form declares it, with imported keys."""
    values = {
        "slug": slug,
        "environment": "simulator",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "metadata": simulator.metadata,
    }
    keys = {name: changes.pop(name, ()) for name in ("pinned", "retired")}
    jwks, imported = changes.pop("jwks", simulator.jwks), changes.pop("jwks_updated_at", timezone.now())
    provider = Provider.objects.create(**{**values, **changes})
    store_keys(provider, jwks, **keys)
    provider.fetch_times.jwks_updated_at = imported
    provider.fetch_times.save()
    add_default_attributes(provider)
    provider.refresh_from_db(fields=["version"])
    return provider


@pytest.fixture
def provider(db: None, simulator: Simulator) -> Provider:
    return make_provider(simulator)


@pytest.fixture
def two(db: None, simulator: Simulator) -> Iterator[TwoIssuers]:
    """A provider whose host has changed, declared under both issuers."""
    with run_simulator() as moved:
        simulators = {OLD: simulator, NEW: record_simulator(moved)}
        for slug, each in simulators.items():
            each.register(client_of(slug))
        old, new = (make_provider(each, slug=slug) for slug, each in simulators.items())
        for provider in (old, new):
            provider.exported_attributes.filter(user_field="username").update(claim="username || preferred_username")
        yield TwoIssuers(old, new, simulators)


@pytest.fixture
def usernames_identify_nobody(provider: Provider) -> None:
    export_plain_usernames(provider)


@pytest.fixture
def professional_pages(settings: Any) -> None:
    """A site with pages for some professionals, and the middleware."""
    settings.ROOT_URLCONF = "tests.urls_professional"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "psc_connect.middleware.ProSanteConnectMiddleware"]


@pytest.fixture
def by(db: None) -> User:
    """The user who makes a change."""
    return User.objects.create(username="administrator", is_superuser=True)


@pytest.fixture
def production(db: None) -> Provider:
    """A provider with the metadata of ANS's production, without keys."""
    return Provider.objects.create(
        slug="psc", client_id="c", client_secret=CLIENT_SECRET, metadata=load_metadata("production")
    )


@pytest.fixture
def person() -> Iterator[BrowserSession]:
    person = BrowserSession()
    yield person
    person.close()


@pytest.fixture
def admin(db: None) -> Administrator:
    return administrator()


@pytest.fixture
def no_way_out(settings: Any) -> None:
    """No request to a provider succeeds: its proxy does not exist."""
    settings.PSC_CONNECT_HTTPS_PROXY = "http://127.0.0.1:9"


@pytest.fixture
def english(settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def atomic_requests(transactional_db: None) -> Iterator[None]:
    """A site that opens a transaction around each request."""
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    yield
    connection.settings_dict["ATOMIC_REQUESTS"] = False


@pytest.fixture
def serving(db: None, settings: Any, tmp_path: Path) -> Iterator[Serving]:
    """Providers over TLS, whose certificate authority the site trusts."""
    settings.PSC_CONNECT_CA_BUNDLE = bundle(tmp_path)
    settings.PSC_CONNECT_BASE_URL = "https://www.example.org"
    with tls_providers(tmp_path) as serve:
        yield serve


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture(scope="session", autouse=True)
def _nothing_secret_is_logged() -> Iterator[None]:
    """Check at the end of the run that no log line has a secret or a name that a test used."""
    with RECORDER.recording():
        yield
    leaks = RECORDER.leaks()
    assert not leaks, "\n".join(leaks[:20])


def pytest_configure(config: pytest.Config) -> None:
    # The recorder sets the root logger to DEBUG. pytest would format each of these lines twice more.
    plugin = config.pluginmanager.get_plugin("logging-plugin")
    for handler in (plugin.caplog_handler, plugin.report_handler) if plugin else ():
        handler.setLevel(logging.INFO)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Mark the fast tests before `-m` selects them, and run the tests with a browser first.

    One process of xdist runs all of these. At the end, the other process would have nothing left to do.
    """
    for item in items:
        if is_fast(item):
            item.add_marker(pytest.mark.fast)
    yield
    items.sort(key=lambda item: folder_of(item.nodeid) != "browser")


def is_fast(item: pytest.Item) -> bool:
    """Return whether a test needs neither a database nor a server nor another process, nor tries many examples."""
    assert isinstance(item, pytest.Function)
    if getattr(item.obj, "is_hypothesis_test", False):
        return False
    starts_processes = hasattr(item.module, "subprocess") or folder_of(item.nodeid) in SERVER_FOLDERS
    needs_database = item.get_closest_marker("django_db") is not None
    return not (starts_processes or needs_database or SLOW_FIXTURES & set(item.fixturenames))


def folder_of(nodeid: str) -> str:
    """Return the folder below tests/ in which a test is."""
    return nodeid.split("/")[1]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Distribute the tests to processes (`--dist loadgroup`), but all tests of one server to the same process.

    Two tests that rotate the key of one Keycloak would invalidate each other's tokens. `xdist_group` has no effect:
    xdist 3.8 writes the group where pytest 9.2 does not read it.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByServer(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            folder = folder_of(nodeid)
            return folder if folder in SERVER_FOLDERS else nodeid

    # Keep the order of pytest-django: tests that empty tables come after those that read rows of the migrations.
    config.option.loadscopereorder = False
    return ByServer(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_warning_recorded(warning_message: Any) -> None:
    RECORDER.lines.add(("warnings", str(warning_message.message)))
