"""Campaigns: written here while they are drafts, followed once they run. The acts are in campaign_acts.py."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from mailinglist import (
    access,
    approvals,
    campaign_counts,
    deciding,
    lifecycle,
    progress,
    sender_checks,
    writing,
    zones,
)
from mailinglist.admin import (
    campaign_acts,
    campaign_approval,
    campaign_archive,
    campaign_audience,
    campaign_preview,
    campaign_versions,
)
from mailinglist.admin.campaign_form import SEARCHED, CampaignForm, ComposeArea, SearchedRows
from mailinglist.changes import Noun, record
from mailinglist.composing import problems
from mailinglist.models import Campaign, CampaignVersion, Delivery, Template
from mailinglist.sending import chosen
from mailinglist.staff import CappedPaginator, FirstStep, PlainAdmin, actor, ask, found, results_url
from mailinglist.templatetags.mailinglist_tags import badge
from mailinglist.whole_numbers import whole_number

MERGE_TAGS = (
    ("{{ name }}", "the person's name; nothing where it is not known"),
    ('{{ name|default:"friend" }}', "the name, or another word where it is not known"),
    ("{{ email }}", "their address"),
    ("{{ city }}", "any further value of the person, by its name"),
    ("{{ list_name }}", "the name of the list"),
    ("{{ unsubscribe_url }}", "the link that ends the subscription (added at the end if you leave it out)"),
    ("{{ preferences_url }}", "the page where people see and change their subscriptions"),
    ("{{ archive_url }}", "this mail in the public archive; nothing where the list has none"),
)
#: States in which the engine, SES or a retry still has something to do.
MOVING = (Delivery.State.QUEUED, Delivery.State.SENDING, Delivery.State.SENT, Delivery.State.WAITING)
#: Key of the report, what it is called here, and a word of explanation.
REPORT_LINES = (
    ("attempts", "given to SES", "every attempt counts"),
    ("hard", "hard bounces", ""),
    ("soft", "soft bounces", ""),
    ("block", "blocked", ""),
    ("message", "refused for their size or content", ""),
    ("suppressed", "not sent by SES", "on its suppression list"),
    ("unknown", "failed for an unknown cause", ""),
    ("complaints", "complaints", ""),
    ("retried", "people who were sent the mail again after a bounce", ""),
    ("recovered", "of those, delivered after all", ""),
    ("duplicates", "duplicates", "accepted twice without a reason"),
)
#: What people and programs did with the mails: the line, and the key of the report for each column.
READ_LINES = (
    ("opened", "opened_by_people", "opened_unsure", "opened_by_machines"),
    ("followed a link", "clicked_by_people", "clicked_unsure", "clicked_by_machines"),
)
#: How often the page loads itself again while it is watched, in seconds.
WATCH_SECONDS = 5


@admin.register(Campaign)
class CampaignAdmin(PlainAdmin):
    form = CampaignForm
    noun = Noun.CAMPAIGN
    list_display = ("name", "status_badge", "to_lists", "when", "subject", "results")
    list_filter = ("status",)
    list_filter_sheet = False
    search_fields = ("name", "subject")
    search_help_text = "Part of the name or the subject"
    paginator = CappedPaginator
    ordering = ("-pk",)
    readonly_fields = ("merge_tags", "written")
    autocomplete_fields = SEARCHED
    warn_unsaved_form = True
    fieldsets = (
        (None, {"fields": ("name", "lists")}),
        campaign_audience.FIELDSET,
        ("What inboxes show", {"fields": ("subject", "preheader")}),
        (
            "The mail",
            {"fields": (("body_format", "template"), "body", "write_over", "base", "kept", "merge_tags")},
        ),
        ("Archive", {"fields": ("in_archive",)}),
        ("Caution", {"fields": ("canary_minutes",)}),
    )
    empty_text = (
        "A campaign is one mailing to everyone who is subscribed to a list. Write one, then start it."
    )
    first_step = FirstStep(
        "It needs a list with people on it first.",
        "Lists",
        "mailinglist_mailinglist_changelist",
        "mailinglist.view_mailinglist",
    )

    def get_fieldsets(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        editable = obj is None or obj.editable
        if editable and request.user.has_perm("mailinglist.view_segment"):
            return self.fieldsets
        # Whom a started campaign chose is on a page of its own; and who may not see a choice must not lose it by saving.
        rest = [one for one in self.fieldsets if one is not campaign_audience.FIELDSET]
        return rest if editable else (*rest[:2], ("The mail", {"fields": ("body_format", "written")}))

    def get_urls(self) -> list[URLPattern]:
        views = {
            "preview": campaign_preview.show,
            "preview/html": campaign_preview.html_part,
            **campaign_approval.VIEWS,
            **campaign_archive.VIEWS,
            **campaign_versions.VIEWS,
            **campaign_acts.VIEWS,
        }
        return [
            *(
                path(
                    f"<int:campaign_id>/{tail}/",
                    self.admin_site.admin_view(view),
                    name=f"mailinglist_campaign_{tail.replace('/', '_').replace('-', '_')}",
                )
                for tail, view in views.items()
            ),
            path(
                "typed/",
                self.admin_site.admin_view(campaign_versions.keep_typed),
                name="mailinglist_campaign_typed_new",
            ),
            path(
                "throw-away/",
                self.admin_site.admin_view(campaign_versions.throw_away),
                name="mailinglist_campaign_throw_away_new",
            ),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        found: QuerySet[Campaign] = super().get_queryset(request)
        found = found.annotate(has_versions=Exists(CampaignVersion.objects.filter(campaign=OuterRef("pk"))))
        return found.select_related("template").prefetch_related("lists")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def has_change_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return bool(super().has_change_permission(request, obj)) and (obj is None or obj.editable)

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        if not super().has_delete_permission(request, obj):
            return False
        return obj is None or (obj.status == Campaign.Status.DRAFT and not _has_versions(obj))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        campaign = found(request, Campaign, whole_number(object_id), "mailinglist.delete_campaign")
        if not self.has_delete_permission(request, campaign):
            raise PermissionDenied
        if request.method == "POST":
            self.delete_model(request, campaign)
            messages.success(request, f"The draft “{campaign}” is gone.")
            return HttpResponseRedirect(reverse("admin:mailinglist_campaign_changelist"))
        return ask(
            request,
            title=f"Delete “{campaign}”",
            sentences=["The draft, its saved texts and what was typed into it are gone for good."],
            button="Delete",
            danger=True,
            back=reverse("admin:mailinglist_campaign_change", args=[campaign.pk]),
        )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("lists", *campaign_audience.BOXES):
            kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
        if db_field.name in SEARCHED:
            kwargs["widget"] = SearchedRows(db_field, self.admin_site)
        if db_field.name == "template":
            kwargs["queryset"] = Template.objects.defer("source")
        if db_field.name == "body":
            kwargs["widget"] = ComposeArea("id_body_format")
        found = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "template" and found is not None:
            found.empty_label = "None: a plain card"
        if db_field.name in ("lists", *campaign_audience.FIELDS) and found is not None:
            wrapper = found.widget
            wrapper.can_add_related = wrapper.can_change_related = wrapper.can_view_related = False
        if db_field.name == "lists" and found is not None:
            found.help_text = "Everyone subscribed to one of them gets one mail."
        return found

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]
            super().save_model(request, obj, form, change)
            _note_edit(request, obj, [], before="")
        else:
            writing.keep(Campaign.objects.get(pk=obj.pk), by=actor(request))  # where it was written otherwise
            obj.revision = Campaign.objects.values_list("revision", flat=True).get(pk=obj.pk)
            changed = [name for name in form.changed_data if name not in ("base", "write_over", "kept")]
            columns = [name for name in changed if name not in ("lists", *campaign_audience.FIELDS)]
            obj.save(update_fields=[*columns, "updated_at"])
            if changed:
                _note_edit(request, obj, changed, before=obj.status)
        writing.keep(obj, by=actor(request))
        writing.forget_saved(obj, request.user, kept=form.cleaned_data.get("kept", ""), first=not change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        others = [name for name in form.changed_data if name in ("lists", *campaign_audience.FIELDS)]
        if change and others and form.instance.status == Campaign.Status.SCHEDULED:
            what = ", ".join(str(Campaign._meta.get_field(name).verbose_name) for name in others)  # type: ignore[union-attr]
            lifecycle.unschedule(form.instance.pk, by=actor(request), why=deciding.chosen_anew(what))
            messages.warning(
                request,
                "You changed whom it goes to, so it is a draft again: look at the number and schedule it anew.",
            )
        sender_checks.ask_where_old(form.instance.lists.values_list("from_email", flat=True))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method != "POST":
            shown: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
            return shown
        with transaction.atomic():
            # A campaign that starts just now must not be written over by what was typed before.
            Campaign.objects.select_for_update(no_key=True).filter(pk=whole_number(object_id)).first()
            response: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
            # The template reads the database; it must do so before the transaction ends.
            return response.render() if hasattr(response, "render") else response

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Campaign | None:
        campaign: Campaign | None = super().get_object(request, object_id, from_field)
        if campaign and request.method == "GET":
            chosen.prefetch(campaign)
            prefetch_related_objects([campaign], "link_checks")
        return campaign

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Campaign | None = None,
    ) -> HttpResponse:
        if obj and request.method == "GET":
            context |= _panel(request, obj)
        response: HttpResponse = super().render_change_form(request, context, add, change, form_url, obj)
        return response

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"draft": writing.typed(None, request.user)} if request.method == "GET" else {}
        response: HttpResponse = super().add_view(request, form_url, {**(extra_context or {}), **context})
        return response

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """``?draft=1``: what was typed and never saved."""
        draft = writing.typed(None, request.user) if "draft" in request.GET else None
        return campaign_versions.as_initial(draft) if draft else super().get_changeform_initial_data(request)

    def get_form(
        self, request: HttpRequest, obj: Campaign | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """``?draft=1``: with what this manager typed and did not save."""
        form = super().get_form(request, obj, change, **kwargs)
        form.manager = actor(request)
        draft = (
            writing.typed(obj, request.user)
            if obj and request.method == "GET" and "draft" in request.GET
            else None
        )
        return campaign_versions.with_draft(form, draft) if draft else form

    @display(description="Status")
    def status_badge(self, row: Campaign) -> SafeString:
        if row.held_until:
            return badge("finished, retries wait for SES", "paused")
        return badge(row.get_status_display(), row.status)

    @display(description="Lists")
    def to_lists(self, row: Campaign) -> str:
        return ", ".join(found.name for found in row.lists.all()) or "–"

    @display(description="When")
    def when(self, row: Campaign) -> str:
        if row.status == Campaign.Status.SCHEDULED and row.scheduled_at:
            return f"starts {row.scheduled_at:%d %b %Y %H:%M} UTC" + (" …" if row.at_local_time else "")
        moment = row.started_at or row.created_at
        return f"{'started' if row.started_at else 'written'} {moment:%d %b %Y %H:%M}"

    @display(description="Results")
    def results(self, row: Campaign) -> SafeString | str:
        address = results_url(row.pk) if row.started_at else ""
        return format_html('<a href="{}">Results</a>', address) if address else "–"

    @display(description="Body")
    def written(self, row: Campaign) -> SafeString:
        return format_html('<pre class="ml-raw" tabindex="0">{}</pre>', row.body)

    @display(description="What you can put in")
    def merge_tags(self, row: Campaign) -> SafeString:
        lines = format_html_join("", "<dt><code>{}</code></dt><dd>{}</dd>", MERGE_TAGS)
        return format_html('<dl class="ml-tags">{}</dl>', lines)


def _has_versions(campaign: Campaign) -> bool:
    """Whether a mail of it was ever made, be it a test; the admin's own rows know."""
    known: bool | None = getattr(campaign, "has_versions", None)
    return campaign.versions.exists() if known is None else known


def _note_edit(request: HttpRequest, campaign: Campaign, changed: list[str], *, before: str) -> None:
    record(
        Noun.CAMPAIGN,
        campaign.pk,
        before=before,
        after=approvals.EDITED,
        why=f"Changed: {', '.join(changed)}." if changed else "Written.",
        by=actor(request),
    )


def _panel(request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    """What stands above the form: state, numbers, checks and the buttons that make sense now."""
    over = campaign.started_at is not None and campaign.status in (
        Campaign.Status.FINISHED,
        Campaign.Status.CANCELLED,
    )
    context = {
        "campaign": campaign,
        "problems": problems.find(campaign, quick=True) if campaign.editable else [],
        "may_act": access.may(request.user, "mailinglist.change_campaign", campaign),
        "watching": "watch" in request.GET and campaign.status == Campaign.Status.SENDING,
        "watch_seconds": WATCH_SECONDS,
        "links": sorted(campaign.link_checks.all(), key=lambda check: check.pk) if campaign.editable else [],
        "draft": writing.typed(campaign, request.user) if campaign.editable else None,
        "archived": campaign_archive.addresses(campaign),
        "results": results_url(campaign.pk) if campaign.started_at else "",
        **campaign_approval.context(request, campaign),
        "may_follow": over and request.user.has_perm("mailinglist.add_campaign"),
    }
    if campaign.planned_at and (campaign.status == Campaign.Status.SCHEDULED or campaign.at_local_time):
        context["plan"] = zones.sentence(
            campaign.planned_at, campaign.time_zone, everywhere=campaign.at_local_time
        )
    if campaign.status == Campaign.Status.SENDING:
        context["pace"] = progress.pace_for(request.user)
    return context | (_numbers(campaign) if campaign.started_at else {})


def _numbers(campaign: Campaign) -> dict[str, Any]:
    """The recipients by state, in the order a mail goes through them, and the sums of the report."""
    found = campaign_counts.numbers(campaign.pk)
    if found is None:
        return {"being_counted": True}
    report = found.report
    counts, recipients = report["by_state"], report["recipients"]
    moving = sum(counts.get(state, 0) for state in MOVING)
    settled = 100 * (recipients - moving) / recipients if recipients else 100.0
    return {
        "report": report,
        "counted_at": found.counted_at,
        "states": [
            {"code": state.value, "label": state.label, "count": counts[state.value]}
            for state in Delivery.State
            if counts.get(state.value)
        ],
        "lines": [(label, report.get(key, 0), hint) for key, label, hint in REPORT_LINES],
        "read_lines": [(label, *(report[key] for key in keys)) for label, *keys in READ_LINES],
        "settled_share": f"{settled:.1f} %",
        "settled_width": f"{settled:.1f}",
        "deliveries": reverse("admin:mailinglist_delivery_changelist"),
    }
