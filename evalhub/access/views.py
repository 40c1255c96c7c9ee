"""Signing in and out, and a project's settings: members and tokens."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from evalhub.access import actions
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role, User
from evalhub.kit import slots
from evalhub.kit.addresses import local
from evalhub.kit.errors import EvalhubError, Invalid
from evalhub.kit.whole import LARGEST_ID, whole

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in form; lands where the user was going."""
    going_to = local(request, request.POST.get("next") or request.GET.get("next") or "")
    context = {"next": going_to, "username": ""}
    if request.method != "POST":
        return render(request, "auth/sign_in.html", context)
    username = request.POST.get("username", "")
    user = authenticate(request, username=username, password=request.POST.get("password", ""))
    if user is None:
        context |= {"username": username, "error": "That name and password do not belong together."}
        return render(request, "auth/sign_in.html", context, status=422)
    login(request, user)
    return redirect(going_to or "home")


def use_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Sign in by a single-use link. The one GET that writes: it spends the link."""
    link = actions.use_sign_in_link(secret=secret)
    if link is None:
        return render(request, "auth/link_used.html", status=410)
    login(request, link.user, backend=MODEL_BACKEND)
    return redirect(local(request, link.next) or "home")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("sign_in")


@login_required
def account(request: HttpRequest) -> HttpResponse:
    """One's own name and password. A user without a password came by link and may set one."""
    assert isinstance(request.user, User)
    user = request.user
    given = request.POST
    context: dict[str, object] = {"name": user.get_full_name()}
    if request.method == "POST":
        try:
            if given.get("act") == "password":
                actions.set_password(
                    user=user, current=given.get("current", ""), new=given.get("new", "")
                )
                update_session_auth_hash(request, user)
                messages.success(request, "Your password is set.")
            else:
                context["name"] = given.get("name", "")
                actions.set_display_name(user=user, name=str(context["name"]))
                messages.success(request, "Your name is saved.")
            return redirect("account")
        except EvalhubError as error:
            place = error.errors[0].pointer.strip("/") if error.errors else "name"
            context |= {"error": error.detail, "place": place}
    return render(
        request, "access/account.html", context, status=422 if "error" in context else 200
    )


@login_required
def new_project(request: HttpRequest) -> HttpResponse:
    """A page with the name of the project to make."""
    assert isinstance(request.user, User)
    context: dict[str, object] = {"name": request.POST.get("name", "")}
    if request.method == "POST":
        try:
            project = actions.create_project(name=str(context["name"]), by=request.user)
        except EvalhubError as error:
            return render(
                request, "access/new_project.html", context | {"error": error}, status=422
            )
        return redirect("datasets:list", project.slug)
    return render(request, "access/new_project.html", context)


@project_view()
def project_home(request: HttpRequest, project: Project) -> HttpResponse:
    return redirect("datasets:list", project.slug)


@project_view()
def project_settings(request: HttpRequest, project: Project) -> HttpResponse:
    """People and tokens of the project, and its deletion."""
    return _settings_page(request, project)


def _settings_page(
    request: HttpRequest, project: Project, *, status: int = 200, **extra: object
) -> HttpResponse:
    context = {
        "members": project.members.select_related("user").order_by("user__username"),
        "tokens": project.tokens.select_related("user").filter(revoked_at=None).order_by("-pk"),
        "roles": Role.choices,
        "links": slots.fill("project.settings", [project.slug]).get(project.slug, []),
        **extra,
    }
    return render(request, "access/project_settings.html", context, status=status)


@require_POST
@project_view(needs=Role.ADMIN)
def members(request: HttpRequest, project: Project) -> HttpResponse:
    """Add, change or remove a member; a new user's sign-in link is shown once."""
    assert isinstance(request.user, User)
    username = request.POST.get("username", "")
    try:
        if request.POST.get("act") == "remove":
            actions.remove_member(project=project, username=username, by=request.user)
            messages.success(request, f"{username} is no longer a member.")
        else:
            member, secret = actions.set_member(
                project=project,
                username=username,
                role=request.POST.get("role", Role.VIEWER),
                by=request.user,
            )
            if secret:
                link = request.build_absolute_uri(reverse("use_link", args=[secret]))
                return _settings_page(request, project, new_link=link, new_member=member)
            messages.success(request, f"{username} is {member.get_role_display().lower()} now.")
    except EvalhubError as error:
        return _settings_page(
            request, project, status=error.status, member_error=error, username=username
        )
    return redirect("project_settings", project.slug)


@require_POST
@project_view(needs=Role.EDITOR)
def tokens(request: HttpRequest, project: Project) -> HttpResponse:
    """Make or revoke an API token; a new one's secret is shown once."""
    assert isinstance(request.user, User)
    try:
        if request.POST.get("act") == "revoke":
            token_id = whole(request.POST.get("token", ""), LARGEST_ID)
            if token_id is None:
                raise Invalid("Choose the token to revoke.")
            actions.revoke_token(project=project, token_id=token_id, by=request.user)
            messages.success(request, "The token is revoked.")
        else:
            token, secret = actions.create_token(
                project=project,
                name=request.POST.get("name", ""),
                by=request.user,
                read_only=request.POST.get("read_only") == "on",
            )
            return _settings_page(request, project, new_token=token, new_secret=secret)
    except EvalhubError as error:
        return _settings_page(request, project, status=error.status, token_error=error)
    return redirect("project_settings", project.slug)


@require_POST
@project_view(needs=Role.ADMIN)
def trace_url(request: HttpRequest, project: Project) -> HttpResponse:
    """Set where traces open in the project's own tracing tool."""
    assert isinstance(request.user, User)
    given = request.POST.get("trace_url", "")
    try:
        actions.set_trace_url(project=project, trace_url=given, by=request.user)
    except EvalhubError as error:
        return _settings_page(
            request, project, status=error.status, trace_error=error, given_trace_url=given
        )
    messages.success(request, "The link to your traces is saved.")
    return redirect("project_settings", project.slug)


@project_view(needs=Role.ADMIN)
def delete_project(request: HttpRequest, project: Project) -> HttpResponse:
    """Delete the project with everything in it, once its name has been typed."""
    assert isinstance(request.user, User)
    if request.method == "POST":
        if project.is_demo or request.POST.get("name") == project.name:
            actions.delete_project(project=project, by=request.user)
            messages.success(request, f"{project.name} is deleted.")
            return redirect("home")
        error = f"Type {project.name} to delete it."
        return render(request, "access/delete_project.html", {"error": error}, status=422)
    return render(request, "access/delete_project.html")
