"""A person who uses the site and a real Keycloak in a browser."""

from __future__ import annotations

from dataclasses import dataclass, field

import requests

from tests.interop.browser import Browser
from tests.interop.keycloak import people
from tests.interop.site import refresh_link


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person at a browser. `site` is the origin of the site."""

    site: str
    browser: Browser = field(default_factory=Browser)

    def read_page(self) -> requests.Response:
        """Open a page that requires a login: returns it, an error page or Keycloak's form."""
        return self.browser.open(f"{self.site}/page/one/")

    def sign_in(self, person: str) -> requests.Response:
        page = self.read_page()
        assert asks_for_password(page), f"the {page.status_code} page of {page.url.partition('?')[0]}"
        return self.browser.sign_in(page, person)

    def callback(self, person: str) -> str:
        """Sign in at Keycloak; return the callback URL without opening it."""
        with self.browser.stopping_before(f"{self.site}/psc/post/callback/"):
            return self.sign_in(person).headers["Location"]

    def sign_out(self) -> requests.Response:
        """Use the button of the page for people already signed in; the next page redirects by itself."""
        signing_out = self.browser.submit(self.browser.open(f"{self.site}/psc/login/?next=/page/one/"))
        return self.browser.open(refresh_link(signing_out))

    @property
    def has_session(self) -> bool:
        return "sessionid" in self.browser.cookies

    def lose_session(self) -> None:
        """Lose the cookies of the site, as another day; Keycloak's session continues."""
        for name in ("sessionid", "psc_recent_auth"):
            del self.browser.cookies[name]


def asks_for_password(page: requests.Response) -> bool:
    return 'name="password"' in page.text


def is_page_of(page: requests.Response, person: str) -> bool:
    """Return whether this is the requested page, opened by the person's user."""
    return (page.status_code, page.text) == (200, f"page one of {people()[person]['SubjectNameID']}")
