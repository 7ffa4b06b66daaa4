"""docs/api.md and the package name the same public interface: each name in one is in the other."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import models
from django.dispatch import Signal

import psc_connect
from psc_connect import signals, urls
from psc_connect.backends import ProSanteConnectBackend
from psc_connect.exceptions import PSCConnectDeprecationWarning
from psc_connect.professional.conditions import SUBJECTS
from psc_connect.simulator import Simulator
from psc_connect.templatetags.psc_connect import register
from psc_connect.uncalled_methods import METHODS
from tests.support import backend_hooks
from tests.support.api_page import API, names_by_row, names_in, rows_of
from tests.support.browser_session import BrowserSession

PACKAGE = Path(psc_connect.__file__).parent
# Their __all__ lists what the package itself imports from them.
PRIVATE = {
    "psc_connect.admin",
    "psc_connect.checks",
    "psc_connect.diagnosis",
    "psc_connect.simulator.faults",
}
PUBLIC = names_by_row("module")


def modules() -> Iterator[str]:
    yield "psc_connect"
    for module in pkgutil.walk_packages([str(PACKAGE)], "psc_connect."):
        if ".migrations" not in module.name:
            yield module.name


def test_the_public_modules_are_those_with_all() -> None:
    with_all = {name for name in modules() if hasattr(importlib.import_module(name), "__all__")}
    assert with_all == PUBLIC.keys() | PRIVATE


@pytest.mark.parametrize("module", PUBLIC)
def test_all_has_the_documented_names_and_each_can_be_imported(module: str) -> None:
    imported = importlib.import_module(module)
    assert set(imported.__all__) == PUBLIC[module]
    assert len(imported.__all__) == len(set(imported.__all__))
    assert all(hasattr(imported, name) for name in imported.__all__)


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()


def test_the_deprecation_warning_is_one_of_python_and_documented() -> None:
    assert issubclass(PSCConnectDeprecationWarning, DeprecationWarning)
    assert "`PSCConnectDeprecationWarning`" in API.partition("## Python names")[0]


CLASSES = {row[0].strip("`"): (names_in(row[1]), names_in(row[2])) for row in rows_of("class")}


def public_objects() -> dict[str, Any]:
    return {name: getattr(importlib.import_module(module), name) for module in PUBLIC for name in PUBLIC[module]}


def public_classes() -> dict[str, type]:
    return {name: value for name, value in public_objects().items() if isinstance(value, type)}


def test_functions_have_the_documented_parameters() -> None:
    functions = {name: value for name, value in public_objects().items() if inspect.isfunction(value)}
    parameters = {name: set(inspect.signature(function).parameters) for name, function in functions.items()}
    # Its keyword arguments are the subjects of conditions.
    parameters["psc_required"] = set(SUBJECTS)
    assert names_by_row("function") == parameters


def attributes_of(cls: type) -> set[str]:
    """Return the attributes that a class defines, without those that Django adds to every model."""
    if issubclass(cls, Enum):
        return set(cls.__members__)
    names = {*vars(cls), *inspect.get_annotations(cls)}
    if dataclasses.is_dataclass(cls):
        names |= {field.name for field in dataclasses.fields(cls)}
    if issubclass(cls, models.Model):
        own = {field.name for field in cls._meta.fields}
        names -= {field.attname for field in cls._meta.fields if field.attname not in own} | {"id", "objects"}
        names -= {"DoesNotExist", "MultipleObjectsReturned", "NotUpdated", *dir(models.Model)}
        names = {name for name in names if not re.match("get_.*_display$|get_(next|previous)_by_", name)}
    if issubclass(cls, Exception):
        names |= vars(cls("account_unknown")).keys()
    if cls is ProSanteConnectBackend:
        names -= METHODS.keys()
        names.add("user_can_authenticate")
    return {name for name in names if not name.startswith("_")}


def test_every_public_class_has_a_row() -> None:
    without_attributes = {"PSCConnectDeprecationWarning", "PSCRequest", "UnknownTableError"}
    assert CLASSES.keys() == public_classes().keys() - without_attributes


@pytest.mark.parametrize("name", CLASSES)
def test_every_attribute_of_a_public_class_is_documented_or_said_to_be_private(name: str) -> None:
    public, private = CLASSES[name]
    assert sorted(public + private) == sorted(attributes_of(public_classes()[name]))


def test_the_backend_has_each_documented_hook() -> None:
    hooks = {name.partition("(")[0] for name in names_by_row("hook")}
    assert hooks <= set(CLASSES["ProSanteConnectBackend"][0])
    assert hooks >= {"authenticate", "verify_claims", "create_user", "update_user", "get_user"}


def documented_arguments() -> dict[str, set[str]]:
    return {names_in(row[0])[0]: set(names_in(row[2])) for row in rows_of("signal")}


@pytest.mark.django_db
def test_signals_are_sent_with_the_documented_arguments(provider: Any, simulator: Simulator, settings: Any) -> None:
    sent: dict[str, set[str]] = {}

    def receiver_of(name: str) -> Any:
        return lambda **kwargs: sent.setdefault(name, kwargs.keys() - {"signal", "sender"})

    receivers = {name: receiver_of(name) for name, value in vars(signals).items() if isinstance(value, Signal)}
    for name, receiver in receivers.items():
        getattr(signals, name).connect(receiver)
    podiatrist, doctor = simulator.people["podiatrist"], simulator.people["military-doctor"]
    backend_hooks.use_backend(settings, backend_hooks.LinksByNationalIdentifier)
    User.objects.create(username="known", last_name=doctor.national_identifier)
    for person in (podiatrist, podiatrist.changed(email="new@example.org"), doctor):
        simulator.sign_in(person)
        browser_session = BrowserSession()
        browser_session.sign_in()
        browser_session.close()
    BrowserSession().browser.get("/psc/none/login/")
    for name, receiver in receivers.items():
        getattr(signals, name).disconnect(receiver)
    assert sent == documented_arguments()


def test_url_names_and_paths_are_the_documented_ones() -> None:
    documented = {(name, path) for name, paths in names_by_row("name").items() for path in paths}
    assert documented == {(pattern.name, str(pattern.pattern)) for pattern in urls.urlpatterns}
    assert f"namespace `{urls.app_name}`" in API


def test_template_tags_and_filters_are_the_documented_ones() -> None:
    rows = [row[0] for row in rows_of("tag or filter")]
    filters = {names_in(cell)[0] for cell in rows if cell.endswith("(filter)")}
    assert filters == register.filters.keys()
    assert {names_in(cell)[0] for cell in rows} - filters == register.tags.keys()
