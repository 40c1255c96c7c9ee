"""Changes to projects, members, tokens and sign-in links."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils.text import slugify

from evalhub.access.models import ApiToken, AuditEntry, Member, Project, Role, SignInLink, User
from evalhub.access.secrets import hash_secret, new_secret
from evalhub.kit.clock import db_now
from evalhub.kit.errors import Conflict, FieldError, Invalid, NotFound

TRACE_ID = "{trace_id}"
MAX_TRACE_URL = 500
RESERVED_SLUGS = {"new", "runs", "compare", "import"}


def audit(project: Project, by: User | None, action: str, subject: object, **detail: Any) -> None:
    """Write one row of the audit trail; call it inside the change's own transaction."""
    AuditEntry.objects.create(
        project=project, actor=by, action=action, subject=str(subject)[:200], detail=detail
    )


@transaction.atomic
def create_project(*, name: str, by: User, slug: str = "") -> Project:
    """Make a project with `by` as its first admin. Raises Invalid or Conflict."""
    name = name.strip()
    slug = slug or slugify(name)
    if not name or not slug or slug in RESERVED_SLUGS:
        raise Invalid("Give the project a name with at least one letter or digit.")
    if Project.objects.filter(slug=slug).exists():
        raise Conflict(f"There is a project “{slug}” already. Choose another name.")
    project = Project.objects.create(name=name[:120], slug=slug[:80])
    Member.objects.create(project=project, user=by, role=Role.ADMIN)
    audit(project, by, "project.created", project)
    return project


@transaction.atomic
def set_trace_url(*, project: Project, trace_url: str, by: User) -> None:
    """Set where the project's own tracing tool shows a trace: an address with {trace_id} in it.

    An empty one takes the links away. Raises Invalid.
    """
    trace_url = trace_url.strip()
    if trace_url:
        _require_trace_url(trace_url)
    if trace_url == project.trace_url:
        return
    project.trace_url = trace_url
    project.save(update_fields=["trace_url"])
    audit(project, by, "project.trace_url_set", project, trace_url=trace_url)


def _require_trace_url(text: str) -> None:
    problem = ""
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        problem = "This is no address that a browser could open."
    else:
        if parts.scheme not in ("http", "https") or not host:
            problem = "Begin with http:// or https:// and the name of the host."
        elif TRACE_ID not in text:
            problem = f"Write {TRACE_ID} where the id of the trace goes."
        elif TRACE_ID in parts.netloc or any(each.isspace() for each in text):
            problem = f"Put {TRACE_ID} after the host's name, and leave no spaces."
        elif len(text) > MAX_TRACE_URL:
            problem = f"Use {MAX_TRACE_URL} characters at most."
    if problem:
        raise Invalid(problem, errors=[FieldError("/trace_url", problem)])


@transaction.atomic
def delete_project(*, project: Project, by: User) -> None:
    """Remove a project with everything in it. Cannot be undone."""
    project.delete()


@transaction.atomic
def set_member(
    *, project: Project, username: str, role: str, by: User
) -> tuple[Member, str | None]:
    """Add a user to the project or change their role.

    An unknown username makes a new user; then the second value is their one-time sign-in secret.
    Raises Invalid for an unknown role, Conflict when the last admin would be lost.
    """
    username = username.strip()
    if role not in Role.values:
        raise Invalid(f"“{role}” is no role. Use viewer, editor or admin.")
    if not username or len(username) > 150:
        raise Invalid("Give a user name of 1 to 150 characters.")
    user, is_new = User.objects.get_or_create(username=username)
    if role != Role.ADMIN:
        _keep_one_admin(project, user)
    member, _ = Member.objects.update_or_create(project=project, user=user, defaults={"role": role})
    audit(project, by, "member.set", username, role=role)
    return member, make_sign_in_link(user=user) if is_new else None


@transaction.atomic
def remove_member(*, project: Project, username: str, by: User) -> None:
    """Take a user out of the project. Raises NotFound, or Conflict for the last admin."""
    member = project.members.filter(user__username=username).first()
    if member is None:
        raise NotFound(f"{username} is not a member of {project}.")
    _keep_one_admin(project, member.user)
    member.delete()
    audit(project, by, "member.removed", username)


def _keep_one_admin(project: Project, user: User) -> None:
    admins = project.members.filter(role=Role.ADMIN)
    if admins.filter(user=user).exists() and admins.count() == 1:
        raise Conflict("A project needs an admin. Make somebody else an admin first.")


@transaction.atomic
def create_token(
    *,
    project: Project,
    name: str,
    by: User,
    read_only: bool = False,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Make an API token; the second value is the secret, shown this once."""
    if not name.strip():
        raise Invalid("Give the token a name, so that you know later what it is for.")
    secret = new_secret()
    token = ApiToken.objects.create(
        project=project,
        user=by,
        name=name.strip()[:80],
        hash=hash_secret(secret),
        prefix=secret[:9],
        read_only=read_only,
        expires_at=expires_at,
    )
    audit(project, by, "token.created", token)
    return token, secret


@transaction.atomic
def revoke_token(*, project: Project, token_id: int, by: User) -> None:
    """Make a token worthless from now on. Raises NotFound."""
    token = project.tokens.filter(pk=token_id, revoked_at=None).first()
    if token is None:
        raise NotFound("There is no such token, or it is revoked already.")
    ApiToken.objects.filter(pk=token.pk).update(revoked_at=Now())
    audit(project, by, "token.revoked", token)


@transaction.atomic
def set_display_name(*, user: User, name: str) -> None:
    """Set the name that others see; an empty one brings the user name back. Raises Invalid."""
    name = " ".join(name.split())
    if len(name) > 150:
        raise Invalid("Use 150 characters at most.")
    user.first_name, user.last_name = name, ""
    user.save(update_fields=["first_name", "last_name"])


@transaction.atomic
def set_password(*, user: User, current: str, new: str) -> None:
    """Set the password. `current` is asked for only when there is one. Raises Invalid.

    The user's other sessions end; the door keeps its own.
    """
    if user.has_password and not user.check_password(current):
        wrong = "That is not your current password."
        raise Invalid(wrong, errors=[FieldError("/current", wrong)])
    try:
        validate_password(new, user)
    except ValidationError as error:
        said = " ".join(error.messages)
        raise Invalid(said, errors=[FieldError("/new", said)]) from error
    user.set_password(new)
    user.save(update_fields=["password"])


def make_sign_in_link(*, user: User, next: str = "") -> str:
    """Return the secret of a new sign-in link for `user`, which lands on the local path `next`."""
    secret = new_secret()
    SignInLink.objects.create(
        user=user,
        hash=hash_secret(secret),
        next=next,
        expires_at=db_now() + timedelta(minutes=settings.SIGN_IN_LINK_MINUTES),
    )
    return secret


def use_sign_in_link(*, secret: str) -> SignInLink | None:
    """Spend a sign-in link; None when it is unknown, used or expired. Of two at once, one wins."""
    digest = hash_secret(secret)
    spent = SignInLink.objects.filter(
        hash=digest, used_at=None, expires_at__gt=Now(), user__is_active=True
    ).update(used_at=Now())
    return SignInLink.objects.select_related("user").get(hash=digest) if spent else None
