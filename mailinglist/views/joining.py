"""The public lists, signing up, and the button behind the link of a confirmation mail."""

from enum import StrEnum

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_http_methods, require_safe

from mailinglist import gate, languages, subscriptions, tracking
from mailinglist.forms import SignUpForm, consent_text, tracking_text
from mailinglist.gate import Answer
from mailinglist.models import MailingList, Subscriber
from mailinglist.views import landing, visitor
from mailinglist.views.pages import masked, person, public_list, show, token_page


class FormName(StrEnum):
    """Which form a person filled in, for the evidence."""

    #: The page of ours.
    PAGE = "form"
    #: A form without script on another site, finished on our page.
    HTML = "embed-html"
    #: The script on another site, or whoever else posts JSON.
    SCRIPT = "embed-script"


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The public lists."""
    return show(request, "home", lists=MailingList.objects.filter(is_public=True))


@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest, slug: str) -> HttpResponse:
    """The sign-up form of a public list. The answer is the same for every address that can exist."""
    mailing_list = public_list(request, slug)
    # What is agreed to is kept in the words that were shown.
    languages.speak(request.POST.get("language", ""), get_language() or "")
    form = SignUpForm(request.POST if request.method == "POST" else None, mailing_list=mailing_list)
    ticket = request.POST.get("came_from", "")
    came_from = landing.read(ticket)
    answer = None
    if form.is_valid():
        name = FormName.PAGE if came_from is None else FormName.HTML
        answer = sign_up(request, mailing_list, form, form_name=name, came_from=came_from or "")
        if answer is Answer.ADMIT or answer.silent:
            return redirect("check-mail", slug=slug)
        if answer is Answer.NO_DOMAIN:
            form.add_error("email", answer.sentence)
    return landing.show_form(
        request, mailing_list, form, ticket="" if came_from is None else ticket, answer=answer
    )


@require_safe
def check_mail(request: HttpRequest, slug: str) -> HttpResponse:
    """What happens after a sign-up; says nothing about the address."""
    return show(request, "check_mail", list=public_list(request, slug))


@token_page("confirm")
def confirm(request: HttpRequest, subscriber: Subscriber, mailing_list: MailingList) -> HttpResponse:
    """The button behind the link of a confirmation mail."""
    if request.method != "POST":
        page = "confirm" if subscriptions.can_confirm(subscriber, mailing_list) else "nothing_to_confirm"
        return show(request, page, list=mailing_list, address=masked(subscriber.email))
    confirmed = subscriptions.confirm(
        subscriber,
        mailing_list,
        ip=visitor.ip(request),
        user_agent=visitor.user_agent(request),
        text=gettext("Yes, subscribe me"),
        by=person(request, page="confirm"),
    )
    if confirmed and "track-shown" in request.POST:
        # Whoever filled in the form may have ticked the box; only who reads the mail can agree.
        tracking.choose(
            subscriber,
            {mailing_list.pk: "track" in request.POST},
            texts={mailing_list.pk: tracking_text(mailing_list)},
            consent=visitor.agrees(request, form="confirm"),
            by=person(request, page="confirm"),
            why="Chosen when they confirmed.",
        )
    return show(request, "confirmed" if confirmed else "nothing_to_confirm", list=mailing_list)


def sign_up(
    request: HttpRequest,
    mailing_list: MailingList,
    form: SignUpForm,
    *,
    form_name: FormName,
    came_from: str = "",
) -> Answer:
    """Sign up with a valid form, where the gate lets it through. For every form that strangers can send.

    ``form_name``: which one it was, kept as the subscription's source. ``came_from``: the page or origin of another
    site that the form stood on, as its browser says. ADMIT and the silent answers are told alike.
    """
    may_track = form.cleaned_data.get("tracking")
    said = "\n".join([consent_text(mailing_list), *([tracking_text(mailing_list)] if may_track else [])])
    consent = visitor.agrees(request, form=form_name.value, text=said, tracking=may_track)
    sent = gate.Request(
        form.cleaned_data["email"],
        ip=consent.ip,
        filled_seconds=form.filled_seconds,
        captcha_solution=form.cleaned_data["altcha"],
        trapped=form.is_from_a_robot,
    )
    answer = gate.ask(mailing_list, sent, now=consent.at)
    if answer is not Answer.ADMIT:
        return answer
    evidence = {"form": form_name.value} | ({"came_from": came_from} if came_from else {})
    outcome = subscriptions.subscribe(
        mailing_list,
        form.cleaned_data["email"],
        name=form.cleaned_data["name"],
        language=get_language() or "",
        consent=consent,
        source=form_name,
        by=person(request, page="subscribe", **evidence),
        by_stranger=True,
    )
    gate.note_outcome(mailing_list, outcome, now=consent.at)
    return answer
