"""A browser without JavaScript, for scripts that try a site over HTTP."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

SECONDS = 30
SENT_BY_CHOICE = {"submit", "file", "radio"}


def expect(holds: object, otherwise: str) -> None:
    if not holds:
        sys.exit(otherwise)


@dataclass
class Form(HTMLParser):
    """The first form of a page that holds ``mark``, with the fields that a browser would send."""

    page: str
    mark: str
    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        forms = [form for form in re.findall(r"<form.*?</form>", self.page, re.DOTALL) if self.mark in form]
        expect(forms, f"no form with {self.mark} in:\n{self.page}")
        self._select = self._textarea = ""
        self.feed(forms[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        name, kind = values.get("name", ""), values.get("type", "text")
        if tag == "form":
            self.action = values.get("action", "")
        elif tag == "select":
            self._select = name
        elif tag == "textarea":
            self._textarea = name
            self.fields[name] = ""
        elif tag == "option" and self._select and ("selected" in values or self._select not in self.fields):
            self.fields[self._select] = values.get("value", "")
        elif tag == "input" and name and (kind != "checkbox" or "checked" in values) and kind not in SENT_BY_CHOICE:
            self.fields[name] = values.get("value", "on" if kind == "checkbox" else "")

    def handle_data(self, data: str) -> None:
        if self._textarea:
            # The line break after the tag is none of the text (HTML 13.2.6.4.7).
            self.fields[self._textarea] += data if self.fields[self._textarea] else data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"select", "textarea"}:
            self._select = self._textarea = ""


class Visitor(requests.Session):
    """A browser: the page that it is on, and its cookies at both sides."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.trust_env = False
        self.url, self.text = address, ""

    def visit(self, url: str) -> str:
        return self._arrived(self.get(urljoin(self.url, url), timeout=SECONDS))

    def submit(self, mark: str, **typed: str) -> str:
        form = Form(self.text, mark)
        answers = {**form.fields, **typed}
        fields = {name: value for name, value in answers.items() if "__prefix__" not in name}
        sent = {"data": fields, "headers": {"Referer": self.url}, "timeout": SECONDS}
        return self._arrived(self.post(urljoin(self.url, form.action), **sent))

    def _arrived(self, response: requests.Response) -> str:
        expect(response.status_code == 200, f"{response.url}: {response.status_code}\n{response.text}")
        self.url, self.text = response.url, response.text
        return response.text

    def link(self, pattern: str) -> str:
        found = re.search(pattern, self.text)
        expect(found, f"no {pattern} on {self.url}:\n{self.text}")
        return unescape(found[1])
