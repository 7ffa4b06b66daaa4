"""A browser that goes through a login: Django's test client for the site, real HTTP for the provider."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from django.conf import settings
from django.test import Client as Browser

HOST = "http://testserver"
PAGE = "/page/one/"
# The endpoints that the site requests, not the browser.
BACK_CHANNEL = ("token", "userinfo", "jwks", "metadata")


@dataclass
class BrowserSession:
    """A browser, with its cookies for the site and for the provider."""

    browser: Browser = field(default_factory=Browser)
    provider_session: requests.Session = field(default_factory=requests.Session)
    slug: str = "psc"

    def begin(self, next_page: str = "", **headers: str) -> str:
        """Start a login; return the authorization URL."""
        response = self.browser.get(
            f"/psc/{self.slug}/login/", {"next": next_page} if next_page else {}, headers=headers
        )
        assert response.status_code == 302, response.content.decode()
        return response["Location"]

    def authorize(self, url: str) -> str:
        """Open the authorization URL, where a person or a session is already set; return the callback URL."""
        response = self.provider_session.get(url, allow_redirects=False, timeout=10)
        assert response.status_code in {302, 303}, response.text
        return response.headers["Location"]

    def come_back(self, callback_url: str) -> Any:
        return self.browser.get(path_of(callback_url))

    def sign_in(self, next_page: str = "") -> Any:
        return self.come_back(self.authorize(self.begin(next_page)))

    @property
    def user_id(self) -> Any:
        # Without a cookie, the test client would create a session.
        if settings.SESSION_COOKIE_NAME not in self.browser.cookies:
            return None
        return self.browser.session.get("_auth_user_id")

    @property
    def is_signed_in(self) -> bool:
        return self.user_id is not None

    def close(self) -> None:
        self.provider_session.close()


def must_sign_in(person: BrowserSession) -> bool:
    """Return whether a page asks this browser to sign in."""
    return person.browser.get(PAGE).status_code == 302


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query, keep_blank_values=True).items()}


def restart_parameters(response: Any) -> dict[str, str]:
    """Return the parameters of a redirect that starts a login again, without the one that names the old login."""
    parameters = query_of(response["Location"])
    assert len(parameters.pop("restarted")) == 16
    return parameters


def error_code_of(response: Any) -> str:
    """Return the error code that the error page shows."""
    assert "psc_connect/error.html" in [template.name for template in response.templates], response
    code: str = response.context["code"]
    assert f"<dd>{code}</dd>" in response.content.decode()
    return code
