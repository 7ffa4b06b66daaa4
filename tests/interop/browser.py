"""A scripted browser: cookies, redirects and forms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import Cookie
from typing import Any
from urllib.parse import urljoin

import requests
from requests.cookies import RequestsCookieJar

from tests.interop.keycloak import PASSWORD

MAX_REDIRECTS = 20


class LoopbackCookies(RequestsCookieJar):
    """Cookies that are also sent to http://127.0.0.1 if they are Secure, as browsers do; Keycloak's are."""

    def set_cookie(self, cookie: Cookie, *args: Any, **kwargs: Any) -> None:
        cookie.secure = False
        super().set_cookie(cookie, *args, **kwargs)


@dataclass(slots=True)
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form":
            self.forms.append(Form(values.get("action") or ""))
            self._open = True
        elif tag == "input" and self._open and values.get("type") == "hidden":
            self.forms[-1].fields[values.get("name") or ""] = values.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False


class Browser:
    """A browser. A redirect to an address that starts with `stop_before` is returned, not followed."""

    def __init__(self, *, stop_before: str | None = None) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies = LoopbackCookies()
        self._stop_before = stop_before

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    @property
    def cookies(self) -> RequestsCookieJar:
        return self._session.cookies

    def open(self, url: str) -> requests.Response:
        return self._follow("GET", url)

    def submit(self, page: requests.Response, **fields: str) -> requests.Response:
        """Send the page's first form with its hidden fields and these."""
        return self.submit_form(page, form_of(page), **fields)

    def submit_form(self, page: requests.Response, form: Form, **fields: str) -> requests.Response:
        return self._follow(
            "POST",
            urljoin(page.url, form.action),
            data={**form.fields, **fields},
            headers={"Referer": page.url},
        )

    def sign_in(self, page: requests.Response, person: str) -> requests.Response:
        """Fill Keycloak's login form."""
        return self.submit(page, username=person, password=PASSWORD)

    @contextmanager
    def stopping_before(self, prefix: str) -> Iterator[None]:
        self._stop_before, previous = prefix, self._stop_before
        try:
            yield
        finally:
            self._stop_before = previous

    def _follow(self, method: str, url: str, **arguments: Any) -> requests.Response:
        for _ in range(MAX_REDIRECTS):
            response = self._session.request(method, url, allow_redirects=False, timeout=30, **arguments)
            url = urljoin(response.url, response.headers.get("Location", ""))
            stopped = self._stop_before is not None and url.startswith(self._stop_before)
            if not response.is_redirect or stopped:
                return response
            method, arguments = "GET", {}
        raise AssertionError(f"more than {MAX_REDIRECTS} redirects")


def forms_of(page: requests.Response) -> list[Form]:
    parser = _Forms()
    parser.feed(page.text)
    return parser.forms


def form_of(page: requests.Response) -> Form:
    forms = forms_of(page)
    assert forms, f"no form in the {page.status_code} page of {page.url.partition('?')[0]}"
    return forms[0]
