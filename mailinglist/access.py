"""Who may do what with which list: the one place that decides it.

A role (models.Membership) is for one list or for the whole installation. ``permission`` is always Django's own
app.codename, so that ``user.has_perm``, the admin and the templates ask here too (RoleBackend). Whoever shows rows asks
``visible``; whoever acts on one asks ``may``. A model that nobody described is for owners of the installation alone.
bounces describes its own models with ``describe``. A single permission that a superuser gave in Django's way, directly or
by a group, counts too: for the whole installation.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission, User
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from mailinglist.models import (
    Campaign,
    Change,
    Delivery,
    FormStep,
    Import,
    MailImage,
    MailingList,
    Membership,
    Subscriber,
    Subscription,
    Suppression,
    Template,
)

Row = TypeVar("Row", bound=Model)
Lists = frozenset[int]
#: rows, the lists that the manager has the right for, the manager → the rows that belong to these lists.
Scope = Callable[[QuerySet[Any], Lists, Any], QuerySet[Any]]


class Right(Enum):
    READ = "read"
    #: Addresses leave as a file.
    EXPORT = "export"
    WRITE = "write"
    OWN = "own"


_RIGHTS = {
    Membership.Role.OWNER: frozenset(Right),
    Membership.Role.EDITOR: frozenset({Right.READ, Right.EXPORT, Right.WRITE}),
    Membership.Role.ANALYST: frozenset({Right.READ}),
}
#: Where a role for one list is enough: app.codename → the right that it takes for that list.
_OF_A_LIST: dict[str, Right] = {
    **{
        f"mailinglist.view_{noun}": Right.READ
        for noun in (
            "campaign",
            "change",
            "delivery",
            "formstep",
            "import",
            "mailinglist",
            "subscriber",
            "subscription",
            "suppression",
            "template",
        )
    },
    "bounces.view_event": Right.READ,
    "bounces.view_policy": Right.READ,
    "mailinglist.export_subscriber": Right.EXPORT,
    "mailinglist.import_subscriber": Right.WRITE,
    "mailinglist.add_campaign": Right.WRITE,
    "mailinglist.change_campaign": Right.WRITE,
    "mailinglist.delete_campaign": Right.WRITE,
    "mailinglist.add_subscriber": Right.WRITE,
    "mailinglist.change_subscriber": Right.WRITE,
    "mailinglist.change_delivery": Right.WRITE,
    "mailinglist.view_mailimage": Right.WRITE,
    "mailinglist.add_mailimage": Right.WRITE,
    "mailinglist.change_mailimage": Right.WRITE,
    "mailinglist.delete_mailimage": Right.WRITE,
    "mailinglist.change_mailinglist": Right.OWN,
    "bounces.add_policy": Right.OWN,
    "bounces.change_policy": Right.OWN,
    "bounces.delete_policy": Right.OWN,
}
#: What reaches beyond any list and takes a role for the whole installation. All that is not named takes an owner.
_OF_ALL: dict[str, Right] = {
    "bounces.view_incident": Right.READ,
    "bounces.view_notification": Right.READ,
    "bounces.view_providerslot": Right.READ,
    "bounces.change_notification": Right.WRITE,
    "mailinglist.add_suppression": Right.WRITE,
    "mailinglist.change_suppression": Right.WRITE,
    "mailinglist.delete_subscriber": Right.WRITE,
    "mailinglist.add_template": Right.WRITE,
    "mailinglist.change_template": Right.WRITE,
    "mailinglist.delete_template": Right.WRITE,
}
#: All data of a person, of whatever list, as a file.
PERSON_FILE = "mailinglist.export_person"
_OF_ALL[PERSON_FILE] = Right.EXPORT


def lists_for(user: Any, permission: str) -> Lists | None:
    """The ids of the lists that this manager has the permission for; None: all, and what belongs to no list."""
    if not user.is_active:
        return frozenset()
    if user.is_superuser or permission in _given(user):
        return None
    right = _right(permission)
    held = [row for row in _memberships(user) if right in _rights(row)]
    if any(row.list_id is None for row in held):
        return None
    return frozenset(row.list_id for row in held if row.list_id and not is_whole(permission))


def is_whole(permission: str) -> bool:
    """Whether only a role for the whole installation gives it."""
    return permission not in _OF_A_LIST


def visible(rows: QuerySet[Row], user: Any, permission: str) -> QuerySet[Row]:
    """Those of ``rows`` that this manager has the permission for."""
    lists = lists_for(user, permission)
    if lists is None:
        return rows
    scope = _SCOPES.get(rows.model)
    if not lists or scope is None:
        return rows.none()
    return scope(rows, lists, user)


def may(user: Any, permission: str, row: Model | None = None) -> bool:
    """Whether the manager has the permission for ``row``; without one: for anything at all."""
    lists = lists_for(user, permission)
    if lists is None or not lists:
        return lists is None
    if row is None or row.pk is None:
        return True
    return visible(type(row)._default_manager.filter(pk=row.pk), user, permission).exists()


def mailing_lists(user: Any, permission: str) -> QuerySet[MailingList]:
    """The lists that the manager has the permission for, for choices in forms and filters."""
    return visible(MailingList.objects.all(), user, permission)


def is_owner(user: Any) -> bool:
    """Of the whole installation."""
    if not user.is_active or user.is_superuser:
        return bool(user.is_active)
    return any(row.list_id is None and row.role == Membership.Role.OWNER for row in _memberships(user))


def describe(model: type[Model], scope: Scope) -> None:
    """Say which rows of a model belong to some lists."""
    _SCOPES[model] = scope


class RoleBackend(ModelBackend):
    """Logs in by password, as Django does, and answers ``has_perm`` by the roles."""

    def has_perm(self, user_obj: Any, perm: str, obj: Model | None = None) -> bool:
        return may(user_obj, perm, obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        if is_owner(user_obj):
            return True
        named = {*_given(user_obj), *(perm for perm in (*_OF_A_LIST, *_OF_ALL) if may(user_obj, perm))}
        return any(perm.startswith(f"{app_label}.") for perm in named)


def _given(user: Any) -> set[str]:
    """Single permissions in Django's way, of the manager and of their groups; read once for each request."""
    if not hasattr(user, "_permissions_given"):
        rows = Permission.objects.filter(Q(user=user.pk) | Q(group__user=user.pk)).order_by()
        names = rows.values_list("content_type__app_label", "codename")
        user._permissions_given = {f"{label}.{codename}" for label, codename in names}
    given: set[str] = user._permissions_given
    return given


def _right(permission: str) -> Right:
    return _OF_A_LIST.get(permission) or _OF_ALL.get(permission, Right.OWN)


def _rights(row: Membership) -> frozenset[Right]:
    rights = _RIGHTS[Membership.Role(row.role)]
    return rights | {Right.EXPORT} if row.may_export else rights


def _memberships(user: Any) -> list[Membership]:
    """Read once for each request, whose user is an object of its own."""
    if not hasattr(user, "_roles_held"):
        user._roles_held = list(Membership.objects.filter(user_id=user.pk))
    held: list[Membership] = user._roles_held
    return held


def _campaigns(rows: QuerySet[Any], lists: Lists, user: User) -> QuerySet[Any]:
    """Those that go to these lists and to no other; and drafts of one's own that go nowhere yet."""
    goes_to = Campaign.lists.through.objects.filter(campaign_id=OuterRef("pk"))
    ours = Exists(goes_to.filter(mailinglist_id__in=lists)) | (Q(created_by=user) & ~Exists(goes_to))
    return rows.filter(ours).exclude(Exists(goes_to.exclude(mailinglist_id__in=lists)))


def _changes(rows: QuerySet[Any], lists: Lists, user: User) -> QuerySet[Any]:
    """Of these lists and their campaigns; and what concerns the address of somebody on them as a whole."""
    campaigns = _campaigns(Campaign.objects.all(), lists, user).values("pk")
    on = Subscription.objects.filter(subscriber_id=OuterRef("subscriber_id"), list_id__in=lists)
    about_people = Q(list__isnull=True, noun__in=[Change.Noun.SUBSCRIBER, Change.Noun.SUPPRESSION])
    return rows.filter(
        Q(list_id__in=lists)
        | Q(noun=Change.Noun.CAMPAIGN, object_id__in=campaigns)
        | (about_people & Exists(on))
    )


def _people(rows: QuerySet[Any], lists: Lists, user: User) -> QuerySet[Any]:
    return rows.filter(Exists(Subscription.objects.filter(subscriber_id=OuterRef("pk"), list_id__in=lists)))


def _suppressions(rows: QuerySet[Any], lists: Lists, user: User) -> QuerySet[Any]:
    on = Subscription.objects.filter(subscriber__suppression_key=OuterRef("key"), list_id__in=lists)
    return rows.filter(Exists(on))


def of_list(rows: QuerySet[Any], lists: Lists, user: User) -> QuerySet[Any]:
    """For models with a column ``list``."""
    return rows.filter(list_id__in=lists)


_SCOPES: dict[type[Model], Scope] = {
    MailingList: lambda rows, lists, user: rows.filter(pk__in=lists),
    Campaign: _campaigns,
    Change: _changes,
    Delivery: of_list,
    FormStep: of_list,
    Import: of_list,
    # Where a picture is shown says something about other lists; who uploaded it may see it.
    MailImage: lambda rows, lists, user: rows.filter(uploaded_by=user),
    Subscriber: _people,
    Subscription: of_list,
    Suppression: _suppressions,
    # Looks hold nothing of a list.
    Template: lambda rows, lists, user: rows,
}
