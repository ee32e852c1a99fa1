"""The page where a person sees and changes what they get."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language

from mailinglist import languages, own_details, pauses, tracking
from mailinglist.forms import PreferencesForm, tracking_text
from mailinglist.models import MailingList, Subscriber
from mailinglist.views import visitor
from mailinglist.views.pages import active, masked, person, show, token_page
from mailinglist.whole_numbers import whole_number


@token_page("preferences")
def preferences(request: HttpRequest, subscriber: Subscriber, mailing_list: MailingList) -> HttpResponse:
    """The person's details, lists and pause. Nothing to export or erase: a forwarded mail carries this link along."""
    if request.method == "POST" and ("pause" in request.POST or "resume" in request.POST):
        return _pause(request, subscriber, mailing_list)
    present = active(subscriber)
    form = PreferencesForm(request.POST if request.method == "POST" else None, subscriber=subscriber)
    saved, left = False, 0
    if form.is_valid():
        left = own_details.change(
            subscriber,
            keep_list_ids=form.kept(present),
            by=person(request, page="preferences"),
            **form.details(),
        )
        tracking.choose(
            subscriber,
            form.tracking(present),
            texts={found.list_id: tracking_text(found.list) for found in present},
            consent=visitor.agrees(request, form="preferences"),
            by=person(request, page="preferences"),
        )
        saved = True
        # Their new choice, where it is one of ours.
        languages.speak(form.details().get("language", ""), get_language() or "")
    return _page(request, subscriber, mailing_list, form, saved=saved, left=left)


def _pause(request: HttpRequest, subscriber: Subscriber, mailing_list: MailingList) -> HttpResponse:
    """No mails for some time, or mails again."""
    by, days = person(request, page="preferences"), whole_number(request.POST.get("pause"))
    done = ""
    if "resume" in request.POST:
        done = "resumed" if pauses.resume(subscriber, by=by) else ""
    elif days in pauses.DAYS:
        pauses.pause(subscriber, days=days, by=by)
        done = "paused"
    subscriber.refresh_from_db()
    form = PreferencesForm(subscriber=subscriber)
    return _page(request, subscriber, mailing_list, form, **{done: True} if done else {})


def _page(
    request: HttpRequest,
    subscriber: Subscriber,
    mailing_list: MailingList,
    form: PreferencesForm,
    **done: int,
) -> HttpResponse:
    return show(
        request,
        "preferences",
        list=mailing_list,
        form=form,
        subscriptions=active(subscriber),
        address=masked(subscriber.email),
        paused_until=subscriber.paused_until if pauses.is_paused(subscriber) else None,
        pause_days=pauses.DAYS,
        **done,
    )
