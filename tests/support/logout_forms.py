"""The forms that end a session, as a browser sends them."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from tests.support.browser_session import BrowserSession

OTHER_PERSON = "sign_in"
CLOSE = "close"


def form_fields(response: Any) -> dict[str, str]:
    """Return the hidden fields of the page's logout form; {} without one."""
    found = re.search(r'<form class="psc-logout".*?</form>', response.content.decode(), re.DOTALL)
    inputs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', found[0]) if found else []
    return {name: unescape(value) for name, value in inputs}


def buttons(response: Any) -> list[str]:
    """Return the values of the buttons of the page's logout form."""
    found = re.search(r'<form class="psc-logout".*?</form>', response.content.decode(), re.DOTALL)
    return re.findall(r'<button [^>]*name="then" value="([^"]*)">', found[0]) if found else []


def press(person: BrowserSession, response: Any, button: str) -> Any:
    """Press a button of the page's logout form."""
    assert button in buttons(response)
    return person.browser.post(f"/psc/{person.slug}/logout/", {**form_fields(response), "then": button})


def end_session_url(response: Any) -> str:
    """Return the URL to which the page redirects without a script."""
    text = response.content.decode()
    refresh = unescape(re.findall(r'<meta http-equiv="refresh" content="0; url=([^"]+)">', text)[0])
    assert unescape(re.findall(r'class="psc-action" href="([^"]+)"', text)[0]) == refresh
    return refresh


def return_from_provider(person: BrowserSession, response: Any) -> Any:
    """Follow the page to the provider, which ends the session there, and back; return the logged-out page."""
    back = person.provider_session.get(end_session_url(response), allow_redirects=False, timeout=10)
    assert back.status_code == 302, back.text
    return person.come_back(back.headers["Location"])


def asks_for_identification(person: BrowserSession) -> bool:
    """Return whether the provider asks who it is, as it does without an open session."""
    answer = person.provider_session.get(BrowserSession().begin(), allow_redirects=False, timeout=10)
    return answer.status_code == 200
