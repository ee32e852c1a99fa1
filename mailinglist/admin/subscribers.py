"""Subscribers: found by address, filtered by list and status, edited where the fields are the managers'."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from mailinglist import access, addresses, subscriptions, zones
from mailinglist.admin import erasing, exports, people_filters, people_list, tagging, typed_values
from mailinglist.admin.people_list import PeopleList
from mailinglist.admin.values_field import ValuesField
from mailinglist.changes import Noun, record
from mailinglist.csv_rows import shown
from mailinglist.forms import PersonNameField
from mailinglist.models import MailingList, Subscriber, Subscription
from mailinglist.sending.messages import VALUE_NAMES
from mailinglist.staff import FastAdmin, FirstStep, actor, ask, find_subscribers, recipient_url, require
from mailinglist.templatetags.mailinglist_tags import badge
from mailinglist.whole_numbers import whole_number

SIGN_UPS = {
    subscriptions.SignUp.CONFIRMATION_SENT: "A confirmation mail is on its way; it starts with their click.",
    subscriptions.SignUp.CONFIRMATION_PENDING: "A confirmation mail went out less than a day ago.",
    subscriptions.SignUp.SUBSCRIBED: "Subscribed.",
    subscriptions.SignUp.ALREADY_SUBSCRIBED: "This person was subscribed already; nothing changed.",
    subscriptions.SignUp.ADDRESS_LIMIT: "This address has answered none of our confirmation mails.",
    subscriptions.SignUp.SUPPRESSED: "This address is suppressed, so it was not subscribed. See why below.",
}


_TAG_NAME = re.compile(r"[a-z_][a-z0-9_]*")


class ListFilter(admin.SimpleListFilter):
    title = "list"
    parameter_name = "list"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        lists = access.mailing_lists(request.user, "mailinglist.view_mailinglist").order_by("name")
        return [(str(pk), name) for pk, name in lists.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Subscriber]) -> QuerySet[Subscriber]:
        if not self.value():
            return queryset
        return _on(request, queryset, self.value(), request.GET.get("status"))


class StatusFilter(admin.SimpleListFilter):
    title = "subscription"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in Subscription.Status.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Subscriber]) -> QuerySet[Subscriber]:
        if not self.value():
            return queryset
        return _on(request, queryset, request.GET.get("list"), self.value())


def _on(
    request: HttpRequest, queryset: QuerySet[Subscriber], list_id: str | None, status: str | None
) -> QuerySet[Subscriber]:
    """One subscription must fit both: this list, in this status. Those of foreign lists tell nothing."""
    rows = access.visible(Subscription.objects.all(), request.user, "mailinglist.view_subscriber")
    rows = rows.filter(subscriber=OuterRef("pk"))
    if list_id:
        rows = rows.filter(list_id=whole_number(list_id))
    if status:
        rows = rows.filter(status=status)
    return queryset.filter(Exists(rows))


class AddForm(forms.Form):
    email = forms.CharField(label="Address", max_length=254, widget=UnfoldAdminEmailInputWidget())
    name = PersonNameField(widget=UnfoldAdminTextInputWidget())
    mailing_list = forms.ModelChoiceField(
        MailingList.objects.all(),
        label="List",
        required=False,
        empty_label="None yet",
        widget=UnfoldAdminSelectWidget(),
        help_text="Where the list confirms by mail, this person gets a confirmation mail first.",
    )
    consent = forms.CharField(
        label="How did they agree?",
        required=False,
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="For example: signed the paper form at the fair on 3 May. Needed when you choose a list.",
    )

    def __init__(self, *args: Any, lists: access.Lists | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if lists is not None:
            chosen = self.fields["mailing_list"]
            chosen.queryset = MailingList.objects.filter(pk__in=lists)  # type: ignore[attr-defined]
            chosen.required = True

    def clean_email(self) -> str:
        try:
            return addresses.normalise(self.cleaned_data["email"]).as_written
        except addresses.BadAddress as bad:
            raise forms.ValidationError(str(bad)) from bad

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("mailing_list") and not values.get("consent"):
            self.add_error("consent", "Write down how this person agreed to get mail from this list.")
        return values


class EditForm(forms.ModelForm):
    name = PersonNameField(widget=UnfoldAdminTextInputWidget())
    language = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget())
    time_zone = forms.CharField(
        required=False,
        max_length=60,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Such as Europe/Berlin. Empty: not known.",
    )
    attributes = ValuesField(
        label="Other values",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text='For merge tags, as names and values: {"city": "London"} is used as {{ city }}.',
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = self.fields.get("language")
        if isinstance(language, forms.ChoiceField):
            language.choices = _languages(self.instance.language)
        if self.instance.pk:
            self.initial.update(typed_values.initial(self.fields, self.instance.attributes))

    def clean(self) -> dict[str, Any]:
        """The values of the typed fields join the others."""
        found: dict[str, Any] = super().clean() or {}
        if "attributes" in found:
            others = found["attributes"]
            if twice := typed_values.keys(self.fields) & others.keys():
                self.add_error("attributes", f"“{min(twice)}” has a field of its own above.")
            before = self.instance.attributes
            found["attributes"] = {**others, **typed_values.cleaned(self.fields, found, before)}
        return found

    def clean_time_zone(self) -> str:
        """One that there is; what an older version stored may stay."""
        zone: str = self.cleaned_data["time_zone"]
        if zone and zone != self.instance.time_zone and zone not in zones.names():
            raise forms.ValidationError(
                f"“{shown(zone)}” is no time zone. Write a name such as Europe/Berlin, or nothing: then it is not known."
            )
        return zone

    def clean_attributes(self) -> dict[str, Any]:
        """Names that a merge tag can have; those imported before may stay."""
        values: dict[str, Any] = self.cleaned_data["attributes"]
        for name in values.keys() - self.instance.attributes.keys():
            if name in VALUE_NAMES:
                raise forms.ValidationError(
                    f"“{name}” is what every mail fills in by itself, so this value could never be used. Choose "
                    "another name."
                )
            if not _TAG_NAME.fullmatch(name):
                raise forms.ValidationError(
                    f"“{name}” cannot be used in a mail: write small letters, digits and _ only."
                )
        return values


def _languages(stored: str) -> list[tuple[str, str]]:
    """Those that mails and pages can be in; with the stored one, which another system may know."""
    ours = [(code, f"{name} ({code})") for code, name in settings.LANGUAGES]
    others = [(stored, f"{stored} (as stored)")] if stored and stored not in dict(ours) else []
    return [("", "The language of each list"), *ours, *others]


@admin.register(Subscriber)
class SubscriberAdmin(FastAdmin):
    form = EditForm
    list_display = ("address", "name", "lists", "created_at", "edit")
    list_display_links = None
    list_filter_sheet = False
    search_fields = ("email_key",)
    search_help_text = "An address, or the beginning of one; or a value, as in city=Rome"
    actions = ("add_tag", "remove_tag")
    list_before_template = "admin/mailinglist/subscriber/in_and_out.html"
    readonly_fields = ("email", "tags", "everything", "created_at", "updated_at")
    empty_text = (
        "People appear here when they sign up on a list's public page, when you add them, "
        "or when you import a file (Imports, in the navigation)."
    )
    first_step = FirstStep(
        "First make a list that they can be on.",
        "Lists",
        "mailinglist_mailinglist_changelist",
        "mailinglist.view_mailinglist",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscriber]:
        found: QuerySet[Subscriber] = super().get_queryset(request)
        on = access.visible(Subscription.objects.all(), request.user, "mailinglist.view_subscriber")
        return found.prefetch_related(Prefetch("subscriptions", on.select_related("list")))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Subscriber], search_term: str
    ) -> tuple[QuerySet[Subscriber], bool]:
        if not search_term:
            return queryset, False
        if value := typed_values.searched(search_term):
            return queryset.filter(value), False
        return queryset.filter(pk__in=find_subscribers(search_term).values("pk")), False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[PeopleList]:
        return PeopleList

    def get_paginator(self, request: HttpRequest, *arguments: Any, **kwargs: Any) -> Any:
        return people_list.paginator(request, *arguments, **kwargs)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [ListFilter, StatusFilter, *people_filters.FILTERS, *people_filters.of_values()]

    def get_fieldsets(self, request: HttpRequest, obj: Subscriber | None = None) -> Any:
        typed = typed_values.names() if self.has_change_permission(request, obj) else []
        tags = ["tags"] if request.user.has_perm("mailinglist.view_tag") else []
        return [
            (None, {"fields": ["email", "name", "language", "time_zone", *tags]}),
            ("Values", {"fields": [*typed, "attributes"]}),
            (None, {"fields": ["everything", "created_at", "updated_at"]}),
        ]

    def get_form(
        self, request: HttpRequest, obj: Subscriber | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """With a field for each value that is defined."""
        form = type("EditForm", (EditForm,), dict(typed_values.fields()))
        return super().get_form(request, obj, change, **{"form": form, **kwargs})

    def has_tag_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("mailinglist.change_tag"))

    @admin.action(description="Tag …", permissions=["tag"])
    def add_tag(self, request: HttpRequest, queryset: QuerySet[Subscriber]) -> HttpResponse:
        return tagging.ask_for_tag(request, queryset, add=True)

    @admin.action(description="Take a tag off …", permissions=["tag"])
    def remove_tag(self, request: HttpRequest, queryset: QuerySet[Subscriber]) -> HttpResponse:
        return tagging.ask_for_tag(request, queryset, add=False)

    def get_urls(self) -> list[URLPattern]:
        pages = [
            path(
                f"<int:subscriber_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"mailinglist_subscriber_{name}",
            )
            for name, view in (("erase", erasing.erase), ("data", erasing.download))
        ]
        export = path(
            "export/",
            self.admin_site.admin_view(exports.subscribers),
            name="mailinglist_subscriber_export",
        )
        return [export, *pages, *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Subscriber | None = None) -> bool:
        return False

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        require(request, "mailinglist.add_subscriber")
        form = AddForm(
            request.POST or None, lists=access.lists_for(request.user, "mailinglist.add_subscriber")
        )
        if request.method == "POST" and form.is_valid():
            subscriber = _add(request, form.cleaned_data)
            shown = access.may(request.user, "mailinglist.view_subscriber", subscriber)
            back = reverse("admin:mailinglist_subscriber_changelist")
            return HttpResponseRedirect(recipient_url(subscriber.pk) if shown else back)
        return ask(
            request,
            title="Add a subscriber",
            sentences=["Add one person by hand. For many, use Imports in the navigation."],
            form=form,
            button="Add",
            back=reverse("admin:mailinglist_subscriber_changelist"),
        )

    def save_model(self, request: HttpRequest, obj: Subscriber, form: Any, change: bool) -> None:
        if not form.changed_data:
            return
        typed = typed_values.names_in(form.fields)
        columns = {"attributes" if name in typed else name for name in form.changed_data}
        changed = [
            typed_values.key_of(form.fields[name]) if name in typed else name for name in form.changed_data
        ]
        obj.save(update_fields=[*columns, "updated_at"])
        record(
            Noun.SUBSCRIBER,
            obj.pk,
            before="details",
            after="changed",
            why=f"Changed by hand: {', '.join(changed)}.",
            by=actor(request),
            subscriber_id=obj.pk,
        )

    @display(description="Address")
    def address(self, row: Subscriber) -> SafeString:
        return format_html('<a class="ml-strong" href="{}">{}</a>', recipient_url(row.pk), row.email)

    @display(description="Lists")
    def lists(self, row: Subscriber) -> SafeString | str:
        badges = [
            (badge(f"{found.list}: {found.get_status_display()}", found.status),) for found in _all(row)
        ]
        return format_html_join(" ", "{}", badges) or "–"

    @display(description="Edit")
    def edit(self, row: Subscriber) -> SafeString:
        return format_html(
            '<a href="{}">Edit</a>', reverse("admin:mailinglist_subscriber_change", args=[row.pk])
        )

    @display(description="Tags")
    def tags(self, row: Subscriber) -> SafeString | str:
        found = row.tag_rows.select_related("tag").order_by("tag__name")
        return format_html_join(" ", "{}", [(badge(one.tag.name, "info"),) for one in found]) or "–"

    @display(description="What happened")
    def everything(self, row: Subscriber) -> SafeString:
        return format_html(
            '<a href="{}">Subscriptions, mails and bounces of this person</a> · '
            '<a href="{}">Download all data</a> · <a href="{}">Erase …</a>',
            recipient_url(row.pk),
            reverse("admin:mailinglist_subscriber_data", args=[row.pk]),
            reverse("admin:mailinglist_subscriber_erase", args=[row.pk]),
        )


def _all(row: Subscriber) -> list[Subscription]:
    return sorted(row.subscriptions.all(), key=lambda found: found.list.name)


def _add(request: HttpRequest, values: dict[str, Any]) -> Subscriber:
    by = actor(request)
    if not values["mailing_list"]:
        subscriber = subscriptions.get_or_create_subscriber(values["email"], name=values["name"])
        record(
            Noun.SUBSCRIBER,
            subscriber.pk,
            before="",
            after="added",
            why="Added by hand, without a subscription.",
            by=by,
            subscriber_id=subscriber.pk,
        )
        messages.success(request, f"{subscriber.email} is known now, without any subscription.")
        return subscriber
    outcome = subscriptions.subscribe(
        values["mailing_list"],
        values["email"],
        consent=subscriptions.Consent(at=timezone.now(), text=values["consent"]),
        source="manager",
        by=by,
        name=values["name"],
    )
    level = messages.WARNING if outcome is subscriptions.SignUp.SUPPRESSED else messages.SUCCESS
    messages.add_message(request, level, SIGN_UPS[outcome])
    return Subscriber.objects.get(email_key=addresses.normalise(values["email"]).key)
