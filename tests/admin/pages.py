"""An administrator's browser: submits a form as it was shown, with some values changed."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.messages import get_messages
from django.test import Client as Browser

from psc_connect.models import Account, Provider

ADD = "/admin/psc_connect/provider/add/"
LIST = "/admin/psc_connect/provider/"
# The permissions of somebody who edits providers with their mapping and rules.
EDITOR = ("view_provider", "change_provider", "change_user")


def change_page(provider: Any) -> str:
    return f"{LIST}{provider.pk}/change/"


@dataclass
class FormReader(HTMLParser):
    """The fields of the form that has this id, as a browser would send them."""

    form_id: str
    fields: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._inside = False
        self._textarea = self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value if value is not None else "" for name, value in attrs}
        if tag == "form":
            self._inside = values.get("id") == self.form_id
        if not self._inside or values.get("form", self.form_id) != self.form_id:
            return
        name = values.get("name", "")
        if tag == "input" and name and values.get("type") not in {"submit", "file", "checkbox", "radio"}:
            self.fields[name] = values.get("value", "")
        elif tag == "input" and values.get("type") == "checkbox" and "checked" in values:
            self._tick(name, values.get("value", "on"))
        elif tag == "textarea":
            self._textarea = name
            self.fields[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in values or self._select not in self.fields):
            self.fields[self._select] = values.get("value", "")

    def _tick(self, name: str, value: str) -> None:
        """Several of one name are a list."""
        known = self.fields.get(name)
        self.fields[name] = value if known is None else [*([known] if isinstance(known, str) else known), value]

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.fields[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "textarea" and self._textarea:
            self.fields[self._textarea] = self.fields[self._textarea].removeprefix("\n")
            self._textarea = ""
        elif tag == "select":
            self._select = ""


@dataclass
class Administrator:
    """A browser signed in to the admin."""

    browser: Browser

    def fields_of(self, url: str, form_id: str = "provider_form") -> dict[str, Any]:
        response = self.browser.get(url)
        assert response.status_code == 200, response
        reader = FormReader(form_id)
        reader.feed(response.content.decode())
        return {name: value for name, value in reader.fields.items() if "__prefix__" not in name}

    def submit(self, url: str, drop: Iterable[str] = (), **changes: Any) -> Any:
        """Open the page, type the changes, untick what is dropped, save."""
        fields: dict[str, Any] = {**self.fields_of(url), **changes}
        return self.browser.post(url, {name: value for name, value in fields.items() if name not in drop})

    def open(self, provider: Any, page: str, **query: str) -> Any:
        return self.browser.get(f"{LIST}{provider.pk}/{page}/", query)

    def press(self, provider: Any, page: str, **fields: Any) -> Any:
        return self.browser.post(f"{LIST}{provider.pk}/{page}/", fields)


def administrator(*permissions: str) -> Administrator:
    """A superuser, or staff with these permissions of psc_connect only."""
    from django.contrib.auth.models import Permission

    user = get_user_model().objects.create_user(
        username="administrator-" + "-".join(permissions), is_staff=True, is_superuser=not permissions
    )
    for codename in permissions:
        user.user_permissions.add(Permission.objects.get(codename=codename))
    browser = Browser()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return Administrator(browser)


def signed_in_long_ago(administrator: Administrator) -> Administrator:
    """The same, a quarter of an hour and more after the sign-in."""
    session = administrator.browser.session
    session["psc_connect_authenticated_at"] -= 15 * 60 + 1
    session.save()
    return administrator


def row(provider: Provider) -> dict[str, Any]:
    """Return what is stored of a provider's settings and keys."""
    found = stored(provider)
    columns = {field.name: getattr(found, field.name) for field in Provider._meta.concrete_fields}
    keys = {name: getattr(found, name) for name in ("jwks", "jwks_pinned", "jwks_retired")}
    del columns["version"]
    return {**columns, **keys}


def give_account(provider: Provider) -> None:
    user = get_user_model().objects.create_user("somebody")
    Account.objects.create(provider=provider, issuer=provider.issuer, subject="s", user=user)


def stored(provider: Provider) -> Provider:
    return Provider.objects.get(pk=provider.pk)


def codes(response: Any) -> set[tuple[str, str]]:
    """Return (field, code) of every error on the page."""
    assert response.status_code == 200, (response.status_code, response.headers.get("Location"))
    errors = response.context["adminform"].form.errors.as_data()
    return {(name, error.code) for name, errors_of_field in errors.items() for error in errors_of_field}


def texts(response: Any, name: str) -> str:
    return " ".join(response.context["adminform"].form.errors[name])


def messages_of(response: Any) -> list[tuple[str, str]]:
    return [(message.level_tag, str(message)) for message in get_messages(response.wsgi_request)]


def text_of(response: Any) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())))


def select_of(page: str, name: str) -> str:
    [select] = re.findall(rf'<select name="{name}".*?</select>', page, re.DOTALL)
    return select
