"""Create, change and delete a dataset itself."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.text import slugify

from datasets_app.models import Dataset
from evalhub.access.actions import RESERVED_SLUGS, audit
from evalhub.access.models import Project, User
from evalhub.kit.errors import Conflict, FieldError, Invalid
from evalhub.kit.slugs import free_slug

MAX_TAGS = 20
MAX_TAG = 40
MAX_DESCRIPTION = 20_000


@transaction.atomic
def create_dataset(
    *,
    project: Project,
    name: str,
    by: User,
    description: str = "",
    slug: str = "",
    tags: Sequence[str] = (),
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
                description=_checked_description(description),
                tags=_checked_tags(tags),
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
    *,
    dataset: Dataset,
    by: User,
    name: str | None = None,
    description: str | None = None,
    tags: Sequence[str] | None = None,
) -> Dataset:
    """Change the name, the description (markdown) or the tags (None: leave them).

    The slug stays, so that links hold. Raises Invalid, and Conflict for an archived dataset.
    """
    current = _locked(dataset)
    require_unarchived(current)
    dataset.name = current.name if name is None else _checked_name(name)
    dataset.description = (
        current.description if description is None else _checked_description(description)
    )
    dataset.tags = current.tags if tags is None else _checked_tags(tags)
    Dataset.objects.filter(pk=dataset.pk).update(
        name=dataset.name,
        description=dataset.description,
        tags=dataset.tags,
        updated_at=Now(),
    )
    audit(dataset.project, by, "dataset.updated", dataset.slug)
    return dataset


@transaction.atomic
def delete_dataset(*, dataset: Dataset, by: User) -> None:
    """Hide the dataset and free its slug. Its runs stay readable, so revisions stay too."""
    if _locked(dataset).pending_version is not None:
        raise Conflict("Its next version is being written. Cancel that first, then delete it.")
    Dataset.objects.filter(pk=dataset.pk).update(deleted_at=Now())
    audit(dataset.project, by, "dataset.deleted", dataset.slug)


@transaction.atomic
def archive_dataset(*, dataset: Dataset, by: User) -> Dataset:
    """Put the dataset out of the way: read-only and out of the list. Its runs stay where they are.

    One that is archived stays so. Raises Conflict while its next version is being written.
    """
    current = _locked(dataset)
    if current.pending_version is not None:
        raise Conflict("Its next version is being written. Wait for that, or cancel it.")
    if current.archived_at is None:
        Dataset.objects.filter(pk=dataset.pk).update(archived_at=Now(), pinned_at=None)
        audit(dataset.project, by, "dataset.archived", dataset.slug)
    dataset.refresh_from_db(fields=["archived_at", "pinned_at"])
    return dataset


@transaction.atomic
def unarchive_dataset(*, dataset: Dataset, by: User) -> Dataset:
    """Take the dataset back among those at hand."""
    if _locked(dataset).archived_at is not None:
        Dataset.objects.filter(pk=dataset.pk).update(archived_at=None)
        audit(dataset.project, by, "dataset.unarchived", dataset.slug)
    dataset.archived_at = None
    return dataset


@transaction.atomic
def pin_dataset(*, dataset: Dataset, by: User, pinned: bool = True) -> Dataset:
    """Let the dataset come first in lists, for everybody in the project; or no longer.

    Raises Conflict for an archived dataset.
    """
    current = _locked(dataset)
    if pinned:
        require_unarchived(current)
    if pinned != (current.pinned_at is not None):
        Dataset.objects.filter(pk=dataset.pk).update(pinned_at=Now() if pinned else None)
        audit(dataset.project, by, "dataset.pinned" if pinned else "dataset.unpinned", dataset.slug)
    dataset.refresh_from_db(fields=["pinned_at"])
    return dataset


def require_unarchived(dataset: Dataset) -> None:
    """Raises Conflict for an archived dataset, which is read-only."""
    if dataset.archived_at is not None:
        raise Conflict(
            f"{dataset.name} is archived, so it cannot be changed. "
            "Take it out of the archive first."
        )


def _locked(dataset: Dataset) -> Dataset:
    return Dataset.objects.select_for_update(no_key=True, of=("self",)).get(pk=dataset.pk)


def _free_slug(project: Project, name: str) -> str:
    """The slug for a name; that of a dataset with the same name is not avoided, but refused."""
    known = Dataset.objects.filter(project=project, deleted_at=None).values_list("slug", "name")
    taken = {slug for slug, other in known if other.casefold() != name.casefold()}
    return free_slug(name, "dataset", taken=taken, reserved=RESERVED_SLUGS)


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 120:
        detail = "Give the dataset a name of 1 to 120 characters."
        raise Invalid(detail, errors=[FieldError("/name", detail)])
    return name


def _checked_description(description: str) -> str:
    description = description.replace("\r\n", "\n").strip()
    if len(description) > MAX_DESCRIPTION:
        detail = f"A description has at most {MAX_DESCRIPTION:,} characters."
        raise Invalid(detail, errors=[FieldError("/description", detail)])
    return description


def _checked_tags(tags: Sequence[str]) -> list[str]:
    """Each tag once, without space around it, in the order given."""
    kept = list(dict.fromkeys(" ".join(tag.split()) for tag in tags if tag.strip()))
    if len(kept) > MAX_TAGS or any(len(tag) > MAX_TAG or "," in tag for tag in kept):
        detail = f"At most {MAX_TAGS} tags of at most {MAX_TAG} characters each, without commas."
        raise Invalid(detail, errors=[FieldError("/tags", detail)])
    return kept
