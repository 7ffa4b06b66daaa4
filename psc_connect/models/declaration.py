"""`Provider.version`: increased by every change of a provider or of a row that belongs to it, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from django.apps import apps
from django.db import models, transaction
from django.db.models import F
from django.db.models.signals import post_delete, post_save
from django.utils.translation import gettext_lazy as _
from typing_extensions import Self, override

if TYPE_CHECKING:
    from psc_connect.models.provider import Provider


def increase_version(providers: Iterable[int | None], *, using: str) -> None:
    """Increase the version of these providers; this locks their rows until the transaction ends."""
    model: Any = apps.get_model("psc_connect", "Provider")
    # `update()` of the providers' queryset adds the new version.
    model.objects.using(using).filter(pk__in=[*providers]).update()


class DeclarationRowQuerySet(models.QuerySet[Any]):
    """Rows that belong to providers. ``save()``, ``delete()`` and cascades send signals; these two methods do not."""

    @override
    def update(self, **values: Any) -> int:
        if not self.model.increases_version(values):
            return super().update(**values)
        self._for_write = True
        with transaction.atomic(using=self.db):
            before = {*self.order_by().values_list("provider", flat=True)}
            after = {
                getattr(value, "pk", value) for name, value in values.items() if name in ("provider", "provider_id")
            }
            increase_version(before | after, using=self.db)
            return super().update(**values)

    @override
    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        self._for_write = True
        rows = [*objs]
        with transaction.atomic(using=self.db):
            increase_version({row.provider_id for row in rows}, using=self.db)
            return super().bulk_create(rows, *args, **kwargs)


class DeclarationRow(models.Model):
    """A row that belongs to a provider: every change of it increases the provider's version."""

    # Columns that logins write: writing only these does not increase the version.
    UNVERSIONED: ClassVar[frozenset[str]] = frozenset()

    # The provider that the row belongs to in the database, where it was read from there.
    stored_provider_id: int | None = None

    objects = DeclarationRowQuerySet.as_manager()

    class Meta:
        abstract = True
        # The permissions on the provider apply.
        default_permissions = ()
        ordering: ClassVar[tuple[str, ...]] = ("pk",)
        # Also for the rows that the deletion of something else changes (SET_NULL).
        base_manager_name = "objects"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for signal in (post_save, post_delete):
            signal.connect(_increase_version_of_row, sender=cls)

    @classmethod
    @override
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        row = super().from_db(*args, **kwargs)
        row.stored_provider_id = row.__dict__.get("provider_id")
        return row

    @classmethod
    def increases_version(cls, columns: Collection[str] | None) -> bool:
        """Return whether writing these columns, or all (None), is a change of the declaration."""
        return columns is None or bool(set(columns) - cls.UNVERSIONED)


def _increase_version_of_row(
    instance: Any, using: str, update_fields: frozenset[str] | None = None, **_kwargs: Any
) -> None:
    if instance.increases_version(update_fields):
        increase_version({instance.provider_id, instance.stored_provider_id}, using=using)
    instance.stored_provider_id = instance.provider_id


class VersionedModel(models.Model):
    """A row whose version is raised by every change of it, or of a row that belongs to it."""

    version = models.PositiveIntegerField(_("version"), default=1, editable=False)

    class Meta:
        abstract = True

    @override
    def save(self, *, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        if self._state.adding:
            super().save(update_fields=update_fields, **kwargs)
            return
        changed = None if update_fields is None else {*update_fields}
        if changed == set():
            return
        version, self.version = self.version, F("version") + 1
        try:
            super().save(update_fields=None if changed is None else {*changed, "version"}, **kwargs)
        except Exception:
            self.version = version
            raise
        self.refresh_from_db(fields=["version"])


class ProviderQuerySet(models.QuerySet["Provider"]):
    """Providers: every update raises their versions."""

    @override
    def update(self, **values: Any) -> int:
        return super().update(**{"version": F("version") + 1, **values})

    def get_with_keys(self, **lookups: Any) -> Provider:
        """Return one provider with its fetch times and its signing keys, in one statement: each login needs them."""
        key_model: Any = self.model._meta.get_field("signing_keys").related_model
        names = [field.attname for field in key_model._meta.concrete_fields]
        columns = {f"key_{name}": F(f"signing_keys__{name}") for name in names}
        joined = self.select_related("stored_fetch_times").annotate(**columns).order_by("signing_keys__pk")
        found: list[Any] = [*joined.filter(**lookups)]
        if not found:
            raise self.model.DoesNotExist
        provider: Provider = found[0]
        provider.key_rows = [
            key_model.from_db(self.db, names, [getattr(row, f"key_{name}") for name in names])
            for row in found
            if row.key_id is not None
        ]
        return provider
