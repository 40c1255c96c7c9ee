"""Create, change and delete a dataset itself."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.text import slugify

from datasets_app.models import Dataset
from evalhub.access.actions import RESERVED_SLUGS, audit
from evalhub.access.models import Project, User
from evalhub.kit.errors import Conflict, FieldError, Invalid


@transaction.atomic
def create_dataset(
    *, project: Project, name: str, by: User, description: str = "", slug: str = ""
) -> Dataset:
    """Make an empty dataset (version 0).

    Without a slug it gets one from its name, numbered where another name gave the same one (names
    in other scripts give none at all). Raises Invalid, or Conflict when the slug or name is taken.
    """
    name = _checked_name(name)
    slug = slug or _free_slug(project, name)
    if slug != slugify(slug):
        raise Invalid(
            "A slug has only small letters, digits and hyphens.",
            errors=[FieldError("/slug", "Only small letters, digits and hyphens.")],
        )
    if slug in RESERVED_SLUGS:
        slug = f"{slug}-dataset"
    try:
        with transaction.atomic():
            dataset = Dataset.objects.create(
                project=project,
                name=name,
                slug=slug,
                description=description.strip(),
                created_by=by,
            )
    except IntegrityError as error:
        raise Conflict(
            f"There is a dataset “{slug}” in this project already. Choose another name.",
            errors=[FieldError("/name", "Taken.")],
        ) from error
    audit(project, by, "dataset.created", slug)
    return dataset


@transaction.atomic
def update_dataset(
    *, dataset: Dataset, by: User, name: str | None = None, description: str | None = None
) -> Dataset:
    """Change the name or the description (None: leave it). The slug stays, so that links hold."""
    if name is not None:
        dataset.name = _checked_name(name)
    if description is not None:
        dataset.description = description.strip()
    Dataset.objects.filter(pk=dataset.pk).update(
        name=dataset.name, description=dataset.description, updated_at=Now()
    )
    audit(dataset.project, by, "dataset.updated", dataset.slug)
    return dataset


@transaction.atomic
def delete_dataset(*, dataset: Dataset, by: User) -> None:
    """Hide the dataset and free its slug. Its runs stay readable, so revisions stay too."""
    if dataset.pending_version is not None:
        raise Conflict("An import is running. Cancel it first, then delete the dataset.")
    Dataset.objects.filter(pk=dataset.pk).update(deleted_at=Now())
    audit(dataset.project, by, "dataset.deleted", dataset.slug)


def _free_slug(project: Project, name: str) -> str:
    """The slug for a name; that of a dataset with the same name is not avoided, but refused."""
    plain = slugify(name)[:80] or "dataset"
    if plain in RESERVED_SLUGS:
        plain = f"{plain}-dataset"
    stem = plain[:70]
    known = Dataset.objects.filter(project=project, deleted_at=None)
    taken = dict(known.filter(slug__startswith=stem).values_list("slug", "name"))
    slug, number = plain, 2
    while slug in taken and taken[slug].casefold() != name.casefold():
        slug = f"{stem}-{number}"
        number += 1
    return slug


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 120:
        detail = "Give the dataset a name of 1 to 120 characters."
        raise Invalid(detail, errors=[FieldError("/name", detail)])
    return name
