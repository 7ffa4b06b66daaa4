"""A professional before our site and a real Keycloak, at a browser of their own."""

from __future__ import annotations

from dataclasses import dataclass, field

import requests

from tests.interop.browser import Browser
from tests.interop.keycloak import people
from tests.interop.site import onward_link


@dataclass(frozen=True, slots=True)
class Visitor:
    """`site` is the origin of our site."""

    site: str
    browser: Browser = field(default_factory=Browser)

    def read_page(self) -> requests.Response:
        """Ask for a page that wants somebody signed in: ends there, on an error page, or at Keycloak's form."""
        return self.browser.open(f"{self.site}/page/one/")

    def sign_in(self, person: str) -> requests.Response:
        page = self.read_page()
        assert asks_for_password(page), f"the {page.status_code} page of {page.url.partition('?')[0]}"
        return self.browser.sign_in(page, person)

    def callback(self, person: str) -> str:
        """Sign in at Keycloak and stop on the way back: the address is for the test to open."""
        with self.browser.stopping_before(f"{self.site}/psc/post/callback/"):
            return self.sign_in(person).headers["Location"]

    def sign_out(self) -> requests.Response:
        """By the button of the page that tells somebody that they are signed in; the next page moves on by itself."""
        signing_out = self.browser.submit(self.browser.open(f"{self.site}/psc/login/?next=/page/one/"))
        return self.browser.open(onward_link(signing_out))

    @property
    def has_session(self) -> bool:
        return "sessionid" in self.browser.cookies

    def lose_session(self) -> None:
        """Lose the session of our site, as after an evening; Keycloak's goes on."""
        del self.browser.cookies["sessionid"]


def asks_for_password(page: requests.Response) -> bool:
    return 'name="password"' in page.text


def is_page_of(page: requests.Response, person: str) -> bool:
    """Whether this is the page first asked for, read by the person's user."""
    return (page.status_code, page.text) == (200, f"page one of {people()[person]['SubjectNameID']}")
