"""The results of a campaign: every number of it, each leading to the people behind it; on paper, too.

URL names: ``admin:bounces_results`` (?step=hours|days, ?provider=). Who is behind a number: results_people.py; several
campaigns beside each other: comparison.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from bounces import campaign_course, charts
from bounces.admin import comparison, results_people
from bounces.campaign_course import OTHERS, Step
from mailinglist import campaign_counts, words
from mailinglist.models import Campaign, Delivery, MailingList, Subscription
from mailinglist.staff import found, page
from mailinglist.who_got_it import GROUPS

VIEW = "mailinglist.view_campaign"
STEPS = ("hours", "days")
#: Verdicts of attempts as the report counts them, the most frequent kinds first.
VERDICTS = ("hard", "soft", "block", "message", "suppressed", "unknown")
#: What people did, and the key of the report and the code of the group for people, nobody knows, and programs.
READ = (
    ("opened", "opened_by_people", "opened_unsure", "opened_by_machines", "opened"),
    ("followed a link", "clicked_by_people", "clicked_unsure", "clicked_by_machines", "clicked"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A number with the address of the people behind it ("": none, or not for this manager). ``number`` None: off."""

    label: str
    number: int | None
    link: str = ""
    hint: str = ""
    bar: charts.Meter | None = None


def urls() -> list[URLPattern]:
    """The addresses under /admin/ that belong to results."""
    return [
        path("bounces/results/<int:campaign_id>/", admin.site.admin_view(show), name="bounces_results"),
        *results_people.urls(),
        *comparison.urls(),
    ]


def show(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Everything that is known about one campaign, in the order a mail goes."""
    campaign = found(request, Campaign.objects.defer("body").prefetch_related("lists"), campaign_id, VIEW)
    context: dict[str, Any] = {"campaign": campaign, "tracking": tracking(list(campaign.lists.all()))}
    if campaign.started_at:
        counted = campaign_counts.numbers(campaign.pk)
        if counted is None:
            context["being_counted"] = True
        else:
            context |= {"report": counted.report, "counted_at": counted.counted_at}
            context |= _numbers(counted.report, context["tracking"], _Links(request, campaign.pk))
            context |= _course(request, campaign, _Links(request, campaign.pk), counted.counted_at is None)
    return page(request, "admin/bounces/results/show.html", f"Results of “{campaign}”", context)


def tracking(lists: Sequence[MailingList]) -> dict[str, Any]:
    """Whether opens and clicks of these lists' mails are noted: ``off``, and why they are few or none, for people."""
    off = [found.name for found in lists if found.tracking == MailingList.Tracking.OFF]
    asked = [found.name for found in lists if found.tracking == MailingList.Tracking.CONSENT]
    sentences = []
    if off:
        sentences.append(f"Opens and clicks are not noted for {_names(off)}: the list is set so.")
    if asked:
        sentences.append(f"For {_names(asked)} they are noted only of people who allowed it.")
    return {"off": bool(lists) and len(off) == len(lists), "text": " ".join(sentences)}


def _names(names: Sequence[str]) -> str:
    return " and ".join(f"“{name}”" for name in names)


class _Links:
    """Addresses of the people behind a number, for managers who may see recipients; "" for others."""

    def __init__(self, request: HttpRequest, campaign_id: int) -> None:
        allowed = request.user.has_perm(results_people.VIEW)
        self._base = reverse("admin:bounces_results_people", args=[campaign_id]) if allowed else ""

    def __call__(self, who: str, **more: Any) -> str:
        return f"{self._base}?{urlencode({'who': who, **more})}" if self._base else ""


def _numbers(report: Mapping[str, Any], tracked: Mapping[str, Any], link: _Links) -> dict[str, Any]:
    people = campaign_counts.Result(report["by_state"])
    return {
        "funnel": list(_funnel(people, report, tracked, link)),
        "read_lines": [
            (
                label,
                Line(label, report[by_people], link(who)),
                Line(label, report[unsure], link(f"{who}-unsure")),
                Line(label, report[machines], link(f"{who}-machine")),
            )
            for label, by_people, unsure, machines, who in READ
        ],
        "readers": Line("", report["readers"], link("readers")),
        "links": [
            (row, link("clicked", link=row["number"]) if row.get("number") is not None else "")
            for row in report["links"]
        ],
        "kinds": [
            (
                Line(
                    words.verdict(kind), report[kind], link(f"verdict-{kind}"), words.VERDICT_MEANINGS[kind]
                ),
                [
                    Line(
                        words.reason(reason) or "no reason told",
                        number,
                        link(f"verdict-{kind}", reason=reason),
                    )
                    for reason, number in report.get("bounced_because", {}).get(kind, {}).items()
                ],
            )
            for kind in VERDICTS
            if report[kind]
        ],
        "without": list(_without(report, link)),
        "recovered": Line("", report["recovered"], link("recovered")),
        "retried": Line("", report["retried"], link("retried")),
        "complaints": Line("", report["complaints"], link("verdict-complaint")),
        "left": Line("", report.get("left", 0), link("left")),
        "left_because": [
            Line(
                str(Subscription.LeftBecause(code).label) if code else "told nothing",
                number,
                link("left", reason=code),
            )
            for code, number in report.get("left_because", {}).items()
        ],
        "duplicates": [
            Line(GROUPS[who].label, report[key], link(who), GROUPS[who].meaning)
            for who, key in (("duplicates", "duplicates"), ("possible-duplicates", "possible_duplicates"))
        ],
        "everybody": link("all"),
    }


def _funnel(
    people: campaign_counts.Result, report: Mapping[str, Any], tracked: Mapping[str, Any], link: _Links
) -> Iterator[Line]:
    """Recipients → sent → delivered → opened → followed, each with its share of the recipients as a bar."""
    total = people.total

    def line(label: str, number: int, who: str, hint: str) -> Line:
        return Line(label, number, link(who), hint, charts.bar(number, total))

    yield line("Recipients", total, "all", "everybody it was for when it started")
    yield line("Sent", people.sent, "posted", "accepted by Amazon SES")
    yield line(
        "Delivered", people.delivered, "delivered", "taken by the receiving server; complaints count below"
    )
    if tracked["off"] and not (report["opens"] or report["clicks"]):
        yield Line("Opened", None, hint=tracked["text"])
        yield Line("Followed a link", None, hint=tracked["text"])
        return
    yield line("Opened", report["opened_by_people"], "opened", "by people; programs apart below")
    yield line("Followed a link", report["clicked_by_people"], "clicked", "people; programs apart below")


def _without(report: Mapping[str, Any], link: _Links) -> Iterator[tuple[str, Line, list[Line]]]:
    """Everybody who did not get it (yet), by state, and why."""
    reasons = report.get("by_reason", {})
    for state in Delivery.State:
        number = report["by_state"].get(state, 0)
        if not number or state == Delivery.State.DELIVERED:
            continue
        parts = [
            Line(words.reason(code) or "no reason told", count, link(state.value, reason=code))
            for code, count in reasons.get(state.value, {}).items()
        ]
        yield state.value, Line(str(state.label), number, link(state.value)), parts


def _course(request: HttpRequest, campaign: Campaign, link: _Links, is_small: bool) -> dict[str, Any]:
    found = campaign_course.of(campaign, is_small=is_small)
    if found is None:
        return {"course_being_counted": True}
    step = request.GET.get("step", "")
    step = step if step in STEPS else "hours"
    by_provider = found.by_provider()
    asked = request.GET.get("provider", "")
    provider = asked if asked in dict(by_provider) else ""
    steps = found.hours() if step == "hours" else found.days()
    of_provider = found.hours(provider) if step == "hours" else found.days(provider)
    return {
        "step": step,
        "steps": steps,
        "course": _drawn(steps, step, _WENT),
        "bounce_steps": [each for each in of_provider if any(map(each.counts.get, campaign_course.BOUNCES))],
        "bounce_chart": _drawn(of_provider, step, _BOUNCED),
        "provider": provider,
        "by_provider": [_at_provider(name, counts, link) for name, counts in by_provider],
        "choices": (("hours", f"First {campaign_course.HOURS} hours"), ("days", "Days")),
        "course_counted_at": found.counted_at,
        "time_format": "d M H:i" if step == "hours" else "d M Y",
    }


def _at_provider(name: str, counts: Mapping[str, int], link: _Links) -> dict[str, Any]:
    named = name != OTHERS
    lines = [
        Line(
            f"{words.verdict(kind)}, {name}",
            counts.get(kind, 0),
            link(f"verdict-{kind}", provider=name) if named else "",
        )
        for kind in ("delivered", *campaign_course.BOUNCES)
    ]
    return {"name": name, "named": named, "lines": lines}


#: Name in the legend, style, what is counted.
_WENT = (
    ("sent", "sent", "sent"),
    ("delivered", "new", "delivered"),
    ("opened by people", "block", "opened"),
    ("followed by people", "delay", "clicked"),
)
_BOUNCED = (
    ("hard bounces", "bounce", "hard"),
    ("soft bounces", "delay", "soft"),
    ("blocked", "block", "block"),
)


def _drawn(steps: Sequence[Step], step: str, lines: Sequence[tuple[str, str, str]]) -> charts.Chart | None:
    if len(steps) < 2:
        return None  # One point is no line; the table says it.
    series = [(name, style, [each.counts.get(what, 0) for each in steps]) for name, style, what in lines]
    label = "%d %b %H:%M" if step == "hours" else "%d %b %Y"
    return charts.numbers([each.at for each in steps], series, label=label)
