"""Who may log in here, and in which role: given by owners of the whole installation, and by nobody to themselves."""

from typing import Any

import allauth.account.admin
import allauth.mfa.admin  # noqa: F401 - both register pages that ours replace
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from mailinglist import access, logins, managers, second_step
from mailinglist.admin import second_step_pages
from mailinglist.admin.logged_in import logged_in
from mailinglist.admin.role_form import RoleForm, RoleFormSet
from mailinglist.models import Membership
from mailinglist.staff import FirstStep, PlainAdmin, actor, ask

for _model in (User, Group, EmailAddress, Authenticator):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


class RoleInline(TabularInline):
    model = Membership
    form = RoleForm
    formset = RoleFormSet
    fields = ("role", "list", "may_export")
    extra = 1
    verbose_name_plural = (
        "Roles: owner does everything, editor writes, sends and manages people, analyst looks"
    )
    #: Of a row that is only shown; nothing but the list can be empty.
    empty_value_display = "the whole installation"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("auth.view_user")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_change(request, obj) and (obj is None or obj.pk != request.user.pk)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request, obj)


@admin.register(User)
class ManagerAdmin(DjangoUserAdmin, PlainAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = (RoleInline,)
    list_display = ("username", "email", "roles", "is_active", "last_login")
    list_filter = ("is_active",)
    list_filter_sheet = False
    readonly_fields = ("last_login", "date_joined", "logging_in")
    filter_horizontal = ()
    empty_text = "Who may log in here, and what they may do."
    first_step = FirstStep(
        "manage.py createsuperuser makes the first one.", "Add a manager", "auth_user_add", "auth.add_user"
    )

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        found: list[Any] = [
            (None, {"fields": ("username", "password", "is_active", "logging_in")}),
            ("Person", {"fields": ("first_name", "last_name", "email", "last_login", "date_joined")}),
        ]
        if request.user.is_superuser:
            beyond = ("is_superuser", "is_staff", "groups", "user_permissions")
            found.append(
                (
                    "Beyond roles",
                    {
                        "fields": beyond,
                        "classes": ("collapse",),
                        "description": "A superuser is an owner. Groups and single rights count for all lists.",
                    },
                )
            )
        return found

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        return self.inlines

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        roles = Prefetch("memberships", Membership.objects.select_related("list"))
        found: QuerySet[User] = super().get_queryset(request).prefetch_related(roles)
        return found

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("logged-in/", view(logged_in), name="logged_in"),
            path("second-step/", view(second_step_pages.own), name="second_step"),
            path("second-step/code/", view(second_step_pages.ask_code), name="second_step_code"),
            path("<int:user_id>/unlock/", view(unlock), name="auth_user_unlock"),
            *super().get_urls(),
        ]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.is_owner(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_change(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_change(request, obj) and (obj is None or obj.pk != request.user.pk)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.is_staff = True
        if obj.pk == request.user.pk:
            obj.is_active = True
        request._roles_before = managers.held(obj) if change else ""  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)
        managers.record_account(obj, form.changed_data, added=not change, by=actor(request))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        before = request._roles_before  # type: ignore[attr-defined]
        managers.record_roles(form.instance, before=before, by=actor(request))
        if managers.may_nothing(form.instance):
            sentence = (
                f"{form.instance} has no role: they can log in, and see nothing. Give them one under Roles."
            )
            messages.warning(request, sentence)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        logins.note(request.user, "removed", f"Removed the account {obj}.", request, before="account")
        super().delete_model(request, obj)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if "password" in str(message).lower():
            managers.record_account(obj, ["password"], added=False, by=actor(request))
        return super().log_change(request, obj, message)

    @display(description="Logging in")
    def logging_in(self, row: User) -> SafeString:
        step = "with a second step" if second_step.is_on(row) else "by password alone"
        unlock = reverse("admin:auth_user_unlock", args=[row.pk])
        return format_html('{}. <a href="{}">Unlock after wrong passwords …</a>', step.capitalize(), unlock)

    @display(description="Roles")
    def roles(self, row: User) -> str:
        return "owner (superuser)" if row.is_superuser else managers.words(row.memberships.all()) or "none"


@admin.register(Group)
class ManagerGroupAdmin(DjangoGroupAdmin, PlainAdmin):
    empty_text = (
        "A group is a set of single rights with a name. They count for all lists; roles are the usual way."
    )
    first_step = FirstStep(
        "Roles do for most: give them on the page of a manager.",
        "Managers",
        "auth_user_changelist",
        "auth.view_user",
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def save_model(self, request: HttpRequest, obj: Group, form: Any, change: bool) -> None:
        request._rights_before = managers.rights(obj) if change else None  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if form.changed_data:
            before = request._rights_before  # type: ignore[attr-defined]
            managers.record_group(form.instance, before=before, by=actor(request))

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        managers.remove_group(obj, by=actor(request))


def unlock(request: HttpRequest, user_id: int) -> HttpResponse:
    """Take the locks of too many wrong passwords off an account."""
    user = User.objects.filter(pk=user_id).first()
    if user is None or not _may_change(request, user):
        raise PermissionDenied
    back = reverse("admin:auth_user_change", args=[user_id])
    if request.method == "POST":
        logins.unlock(user.get_username())
        logins.note(request.user, "unlocked", f"Unlocked {user}.", request, before="locked")
        messages.success(request, f"{user} can log in again from everywhere.")
        return HttpResponseRedirect(back)
    return ask(
        request,
        title=f"Unlock {user}",
        sentences=["Wrong passwords and codes until now are forgotten, wherever they came from."],
        button="Unlock",
        back=back,
    )


def _may_change(request: HttpRequest, obj: Any) -> bool:
    """Owners change accounts, but only a superuser that of a superuser."""
    if not access.is_owner(request.user):
        return False
    return obj is None or request.user.is_superuser or not getattr(obj, "is_superuser", False)
