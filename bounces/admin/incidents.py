"""Incidents: a provider that refused many people it took mail for before, and the decision about it."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from bounces import incidents
from bounces.models import Incident
from mailinglist.changes import Actor
from mailinglist.staff import FirstStep, MachineOwnedAdmin, ReasonForm, actor, ask, require
from mailinglist.templatetags.mailinglist_tags import badge

PERMISSIONS = ("mailinglist.change_subscriber", "mailinglist.change_suppression")
State = Incident.State
_NOTHING_HELD = (
    "Blocked mails count against nobody, so nothing is held and nothing is to be taken back. Hard bounces of the same "
    "time follow their own rules."
)
_TONES = {State.OPEN: "warning", State.CONFIRMED: "danger", State.RELEASED: "success"}


@admin.register(Incident)
class IncidentAdmin(MachineOwnedAdmin):
    list_display = ("name", "state_badge", "numbers", "started_at", "ended_at", "acts")
    list_filter = ("state", "kind", "started_at")
    list_filter_sheet = False
    search_fields = ("provider",)
    fieldsets = (
        (None, {"fields": ("name", "state_badge", "numbers", "held", "acts")}),
        ("When", {"fields": ("started_at", "ended_at", "opened_at", "decided_at", "decided_by", "why")}),
    )
    empty_text = (
        "No incident so far. When a provider suddenly refuses many people it took mail for before, it appears "
        "here, and its hard bounces unsubscribe nobody until you decide."
    )
    first_step = FirstStep(
        "Nothing is to be done. How the providers treat your mail shows on their own page.",
        "Providers",
        "bounces_providers",
        "bounces.view_providerslot",
    )

    def get_urls(self) -> list[URLPattern]:
        pages: dict[str, Callable[..., HttpResponse]] = {
            "confirm": self.confirm_view,
            "release": self.release_view,
        }
        own = [
            path(
                f"<int:incident_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"bounces_incident_{name}",
            )
            for name, view in pages.items()
        ]
        return [*own, *super().get_urls()]

    def confirm_view(self, request: HttpRequest, incident_id: int) -> HttpResponse:
        """The provider is right."""
        require(request, *PERMISSIONS)
        incident = get_object_or_404(Incident, pk=incident_id)
        if incident.kind == Incident.Kind.BLOCK:
            return self._decide(
                request,
                incident,
                title=f"Close what {incident.provider} blocked",
                sentences=[_numbers(incident), f"{_NOTHING_HELD} Closed, it leaves the first page."],
                button="Close it",
                act=incidents.confirm,
                danger=False,
            )
        return self._decide(
            request,
            incident,
            title=f"Believe {incident.provider}",
            sentences=[
                _numbers(incident),
                f"{_people(incident)} lose the subscriptions and get no mail any more, as after any hard bounce. "
                "This can be taken back here later.",
            ],
            button="Let these bounces count",
            act=incidents.confirm,
            danger=True,
        )

    def release_view(self, request: HttpRequest, incident_id: int) -> HttpResponse:
        """It was an outage, or a fault of ours."""
        require(request, *PERMISSIONS)
        incident = get_object_or_404(Incident, pk=incident_id, kind=Incident.Kind.HARD)
        return self._decide(
            request,
            incident,
            title=f"Do not believe {incident.provider}",
            sentences=[
                _numbers(incident),
                "The bounces of this time never count. Whoever they cost a subscription or put on the suppression "
                "list is brought back, also at SES. People who left by themselves stay away.",
            ],
            button="Take these bounces back",
            act=incidents.release,
            danger=False,
        )

    def _decide(
        self,
        request: HttpRequest,
        incident: Incident,
        *,
        title: str,
        sentences: list[str],
        button: str,
        act: Callable[..., incidents.Decided],
        danger: bool,
    ) -> HttpResponse:
        back = reverse("admin:bounces_incident_change", args=[incident.pk])
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            _carry_out(request, incident, act, actor(request), form.cleaned_data["why"])
            return HttpResponseRedirect(back)
        return ask(
            request, title=title, sentences=sentences, button=button, back=back, form=form, danger=danger
        )

    @display(description="Provider", ordering="provider")
    def name(self, row: Incident) -> str:
        return f"{row.provider} {row.get_kind_display()}"

    @display(description="State")
    def state_badge(self, row: Incident) -> SafeString:
        if row.kind == Incident.Kind.BLOCK and row.state != State.OPEN:
            return badge("closed", "default")
        return badge(row.get_state_display(), _TONES[State(row.state)])

    @display(description="What was seen")
    def numbers(self, row: Incident) -> str:
        return _numbers(row)

    @display(description="Held now")
    def held(self, row: Incident) -> str:
        # Django asks for each value several times while it draws a page.
        kept: dict[str, str] = row.__dict__
        if "held_words" not in kept:
            kept["held_words"] = _held(row)
        return kept["held_words"]

    @display(description="Decide")
    def acts(self, row: Incident) -> SafeString | str:
        confirm, release = (
            reverse(f"admin:bounces_incident_{name}", args=[row.pk]) for name in ("confirm", "release")
        )
        if row.kind == Incident.Kind.BLOCK:
            return format_html('<a href="{}">Close …</a>', confirm) if row.state == State.OPEN else "decided"
        if row.state == State.OPEN:
            return format_html(
                '<a href="{}">Believe it …</a> · <a href="{}">Take back …</a>', confirm, release
            )
        if row.state == State.CONFIRMED:
            return format_html('<a href="{}">Take back …</a>', release)
        return "decided"


def _held(row: Incident) -> str:
    if row.kind == Incident.Kind.BLOCK:
        return _NOTHING_HELD
    people = incidents.held_people(row)
    arrived = incidents.delivered_since(row, people)
    return f"{len(people)} people have a hard bounce that has no effect; {arrived} of them took a mail since."


def _carry_out(
    request: HttpRequest, incident: Incident, act: Callable[..., incidents.Decided], by: Actor, why: str
) -> None:
    try:
        done = act(incident.pk, by=by, why=why)
    except incidents.CannotDecide as error:
        messages.warning(request, str(error))
        return
    if incident.kind == Incident.Kind.BLOCK:
        messages.success(request, "The incident is closed.")
        return
    messages.success(
        request,
        f"{done.people} people: {done.subscriptions} subscriptions and {done.suppressions} suppressions changed.",
    )


def _numbers(row: Incident) -> str:
    return (
        f"{row.bounced} of {row.seen} mails to people who took mail before came back; {row.share:.0%} in the worst "
        f"hour, where {row.baseline:.1%} is usual."
    )


def _people(row: Incident) -> str:
    count = len(incidents.held_people(row))
    return "One person would" if count == 1 else f"{count} people would"
