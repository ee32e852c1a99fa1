"""Mailing lists: who sends, who may join, how they look, how many are on them and why people leave."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import ProtectedError, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.views import ChangeList
from unfold.widgets import UnfoldAdminTextareaWidget

from mailinglist import farewell, links, list_counts
from mailinglist.admin import form_pressure, list_embedding
from mailinglist.admin.list_form import ListForm
from mailinglist.changes import Noun, record
from mailinglist.models import Campaign, MailingList, Subscription
from mailinglist.staff import FirstStep, PlainAdmin, actor, ask, found
from mailinglist.whole_numbers import whole_number

Status = Subscription.Status
#: What the form of a new list proposes: a minute in which a campaign can still be stopped.
STOP_SECONDS = 60
#: Campaigns that are named before a list is deleted.
NAMED = 10
TEXTS = ("consent_wording", "sign_up_text", "welcome_text", "goodbye_text")


@admin.register(MailingList)
class MailingListAdmin(PlainAdmin):
    form = ListForm
    noun = Noun.LIST
    list_display = ("name", "sender", "subscribed", "pending", "unsubscribed", "sign_up_form", "public_link")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = (
        "public_page",
        "sign_up_form",
        "on_your_site",
        "import_hint",
        "present_logo",
        "archive_page",
        "why_people_left",
    )
    fieldsets = (
        (None, {"fields": ("name", "slug", "description", "language")}),
        (
            "Sender",
            {
                "fields": ("from_name", "from_email", "reply_to", "postal_address", "configuration_set"),
                "description": "What people see as the sender. The address must be verified in Amazon SES.",
            },
        ),
        (
            "Sending",
            {"fields": ("four_eyes", "stop_seconds")},
        ),
        (
            "Joining",
            {
                "fields": (
                    "double_opt_in",
                    "is_public",
                    "public_page",
                    "sign_up_form",
                    "import_hint",
                    "on_your_site",
                    "allowed_origins",
                )
            },
        ),
        (
            "Privacy",
            {
                "fields": ("tracking", "untracked_configuration_set"),
                "description": "SES cannot leave its picture, which tells of opens, out of one mail: only a "
                "configuration set without the event type OPEN does. Name one here, or in "
                "SES_UNTRACKED_CONFIGURATION_SET, where opens must not be noted.",
            },
        ),
        (
            "Look",
            {
                "fields": ("own_colour", "accent", "present_logo", "logo", "remove_logo"),
                "description": "How its public pages look: sign-up, confirmation, preferences, archive.",
            },
        ),
        (
            "Texts",
            {
                "fields": TEXTS,
                "description": "In the language of the list. Plain text; an empty line begins a new paragraph. "
                "Empty: the standard text.",
            },
        ),
        ("Archive", {"fields": ("has_archive", "archive_in_search", "archive_page")}),
        ("Leaving", {"fields": ("why_people_left",)}),
    )
    empty_text = (
        "A list is what people subscribe to. Make one with its sender address, then share its public sign-up "
        "page or import the people who agreed to get mail."
    )
    first_step = FirstStep(
        "Begin here: name the list, and the address that its mails come from.",
        "Make a list",
        "mailinglist_mailinglist_add",
        "mailinglist.add_mailinglist",
    )

    def get_urls(self) -> list[URLPattern]:
        embed = self.admin_site.admin_view(list_embedding.show)
        pressure = self.admin_site.admin_view(form_pressure.show)
        return [
            path("<int:list_id>/embed/", embed, name="mailinglist_mailinglist_embed"),
            path("<int:list_id>/sign-ups/", pressure, name="mailinglist_mailinglist_sign_ups"),
            *super().get_urls(),
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"stop_seconds": STOP_SECONDS, **super().get_changeform_initial_data(request)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[MailingList]:
        found: QuerySet[MailingList] = super().get_queryset(request).select_related("form_step")
        return found

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        page: ChangeList = super().get_changelist_instance(request)
        sizes = list_counts.sizes([row.pk for row in page.result_list])
        for row in page.result_list:
            row.size = sizes[row.pk]
        return page

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("description", "postal_address", "allowed_origins", *TEXTS):
            kwargs["widget"] = UnfoldAdminTextareaWidget(attrs={"rows": 4})
        if db_field.name == "postal_address":
            kwargs["help_text"] = f"{db_field.help_text} Without the sender's name: that stands before it."
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def save_model(self, request: HttpRequest, obj: MailingList, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        what = ", ".join(form.settings_changed) if change else "all settings"
        if what:
            record(
                Noun.LIST,
                obj.pk,
                before="settings" if change else "",
                after="changed" if change else "created",
                why=f"{'Changed' if change else 'Set'}: {what}.",
                by=actor(request),
                list_id=obj.pk,
            )
        form.keep_logo(obj.pk, by=actor(request))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        used = Subscription.objects.filter(list_id=whole_number(object_id))
        # Whoever may delete none is not told either which lists there are.
        if self.has_delete_permission(request) and used.exists():
            messages.error(
                request,
                "This list cannot be deleted: people are, or were, subscribed to it, and their consent and "
                "their wish to leave must not be forgotten. Take it off the public page instead.",
            )
            return HttpResponseRedirect(reverse("admin:mailinglist_mailinglist_change", args=[object_id]))
        row = found(request, MailingList, whole_number(object_id), "mailinglist.delete_mailinglist")
        if request.method == "POST":
            try:
                self.delete_model(request, row)
            except ProtectedError:
                messages.error(
                    request, "This list cannot be deleted: mails were sent to it, and are counted."
                )
                return HttpResponseRedirect(reverse("admin:mailinglist_mailinglist_change", args=[row.pk]))
            messages.success(request, f"The list “{row}” is gone.")
            return HttpResponseRedirect(reverse("admin:mailinglist_mailinglist_changelist"))
        chosen = ", ".join(f"“{one}”" for one in Campaign.objects.filter(lists=row).order_by("pk")[:NAMED])
        return ask(
            request,
            title=f"Delete “{row}”",
            sentences=[
                "Nobody is, or ever was, subscribed to it. Its page, its sign-up form, its look, its imports and its "
                "settings are gone for good, and so are the roles of managers for this list.",
                *([f"It is taken out of the campaigns that go to it: {chosen}."] if chosen else []),
            ],
            button="Delete",
            danger=True,
            back=reverse("admin:mailinglist_mailinglist_change", args=[row.pk]),
        )

    @display(description="Sender", ordering="from_email")
    def sender(self, row: MailingList) -> str:
        return f"{row.from_name} <{row.from_email}>"

    @display(description="Subscribed")
    def subscribed(self, row: Any) -> SafeString:
        return _people(row, Status.CONFIRMED, row.size.confirmed)

    @display(description="To confirm")
    def pending(self, row: Any) -> SafeString:
        return _people(row, Status.PENDING, row.size.pending)

    @display(description="Left")
    def unsubscribed(self, row: Any) -> SafeString:
        return _people(row, Status.UNSUBSCRIBED, row.size.unsubscribed)

    @display(description="Public page")
    def public_page(self, row: MailingList) -> SafeString | str:
        if not row.slug:
            return "The address is made from the slug when you save."
        if not row.is_public:
            return "It has none: it is not public."
        page = links.list_page(row)
        return format_html("{}<br>Its form: {}", _outside(page), _outside(f"{page}subscribe"))

    @display(description="Archive")
    def archive_page(self, row: MailingList) -> SafeString | str:
        if not (row.pk and row.has_archive):
            return "It has none."
        return _outside(links.archive_index(row))

    @display(description="Logo")
    def present_logo(self, row: MailingList) -> SafeString | str:
        if not row.logo_version:
            return "It has none."
        address = f"{reverse('list-logo', args=[row.slug])}?v={row.logo_version}"
        return format_html(
            '<img class="ml-logo" src="{}" alt="{}"> <span class="ml-muted">{} × {}</span>',
            address,
            row.name,
            row.logo_width,
            row.logo_height,
        )

    @display(description="Why people left")
    def why_people_left(self, row: MailingList) -> SafeString | str:
        told = farewell.counts(row.pk) if row.pk else []
        if not told:
            return "Nobody has told yet. People are asked on the page after they unsubscribed."
        rows = format_html_join(
            "", "<dt>{}</dt><dd>{}</dd>", ((words, f"{people:,}") for words, people in told)
        )
        return format_html('<dl class="ml-tags">{}</dl>', rows)

    @display(description="Embed on your site")
    def on_your_site(self, row: MailingList) -> SafeString | str:
        if not row.pk:
            return "The form for other sites is made when you save."
        return format_html(
            '<a href="{}">The form for your site, to copy and to try</a>',
            reverse("admin:mailinglist_mailinglist_embed", args=[row.pk]),
        )

    @display(description="Public page")
    def public_link(self, row: MailingList) -> SafeString:
        address = reverse("subscribe", args=[row.slug])
        return format_html('<a href="{}" target="_blank" rel="noopener">{}</a>', address, address)

    @display(description="Sign-up form")
    def sign_up_form(self, row: MailingList) -> SafeString | str:
        return form_pressure.state(row) if row.pk else "Open as soon as you save."

    @display(description="Bring people in")
    def import_hint(self, row: MailingList) -> SafeString | str:
        if not row.pk:
            return "Save the list first."
        return format_html(
            'People with proof of consent come in from a CSV file: <a href="{}?list={}">Import a file</a>. You see what '
            "would happen before anything is changed, and nobody who left or is suppressed is brought back.<br>"
            "For very large files there is a command: <code>python manage.py import_subscribers {} people.csv</code>",
            reverse("admin:mailinglist_import_add"),
            row.pk,
            row.slug,
        )


def _outside(address: str) -> SafeString:
    return format_html('<a href="{}" target="_blank" rel="noopener">{}</a>', address, address)


def _people(row: Any, status: str, number: int) -> SafeString:
    address = reverse("admin:mailinglist_subscriber_changelist")
    more = "+" if row.size.at_least and number >= list_counts.LIVE_MOST else ""
    return format_html(
        '<a href="{}?list={}&status={}">{}{}</a>', address, row.pk, status, f"{number:,}", more
    )
