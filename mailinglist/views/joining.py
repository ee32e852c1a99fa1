"""The public lists, signing up, and the button behind the link of a confirmation mail."""

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from mailinglist import captcha, fill_time, gate, subscriptions
from mailinglist.forms import SignUpForm, consent_text
from mailinglist.gate import Answer
from mailinglist.middleware import CAPTCHA_SECURITY_POLICY
from mailinglist.models import MailingList, Subscriber
from mailinglist.views import visitor
from mailinglist.views.pages import masked, person, public_list, show, token_page


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The public lists."""
    return show(request, "home", lists=MailingList.objects.filter(is_public=True))


@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest, slug: str) -> HttpResponse:
    """The sign-up form of a public list. The answer is the same for every address that can exist."""
    mailing_list = public_list(slug)
    form = SignUpForm(request.POST if request.method == "POST" else None)
    answer = None
    if form.is_valid():
        answer = sign_up(request, mailing_list, form, form_name="form")
        if answer is Answer.ADMIT or answer.silent:
            return redirect("check-mail", slug=slug)
        if answer is Answer.NO_DOMAIN:
            form.add_error("email", answer.sentence)
    return _sign_up_page(request, mailing_list, form, answer)


@require_safe
def check_mail(request: HttpRequest, slug: str) -> HttpResponse:
    """What happens after a sign-up; says nothing about the address."""
    return show(request, "check_mail", list=public_list(slug))


@token_page("confirm")
def confirm(request: HttpRequest, subscriber: Subscriber, mailing_list: MailingList) -> HttpResponse:
    """The button behind the link of a confirmation mail."""
    if request.method != "POST":
        return show(request, "confirm", list=mailing_list, address=masked(subscriber.email))
    confirmed = subscriptions.confirm(
        subscriber, mailing_list, ip=visitor.ip(request), by=person(request, page="confirm")
    )
    return show(request, "confirmed" if confirmed else "nothing_to_confirm", list=mailing_list)


def sign_up(request: HttpRequest, mailing_list: MailingList, form: SignUpForm, *, form_name: str) -> Answer:
    """Sign up with a valid form, where the gate lets it through. For every form that strangers can send.

    ``form_name``: which one it was, kept as the subscription's source. ADMIT and the silent answers are told alike.
    """
    now = timezone.now()
    answer = gate.ask(
        mailing_list,
        form.cleaned_data["email"],
        ip=visitor.ip(request),
        filled_seconds=form.filled_seconds,
        captcha_solution=form.cleaned_data["altcha"],
        trapped=form.is_from_a_robot,
        now=now,
    )
    if answer is not Answer.ADMIT:
        return answer
    consent = subscriptions.Consent(
        at=now,
        ip=visitor.ip(request),
        user_agent=visitor.user_agent(request),
        text=consent_text(mailing_list),
    )
    outcome = subscriptions.subscribe(
        mailing_list,
        form.cleaned_data["email"],
        name=form.cleaned_data["name"],
        consent=consent,
        source=form_name,
        by=person(request, page="subscribe"),
        by_stranger=True,
    )
    gate.note_outcome(mailing_list, outcome, now=now)
    return answer


def _sign_up_page(
    request: HttpRequest, mailing_list: MailingList, form: SignUpForm, answer: Answer | None
) -> HttpResponse:
    now = timezone.now()
    closed = gate.is_closed(mailing_list, now=now)
    asks_captcha = gate.asks_captcha(mailing_list, now=now)
    # Who presses again has had the form since it was first shown.
    before = (form["stamp"].data or "") if form.is_bound else ""
    stamp = fill_time.stamp() if fill_time.seconds(before) is None else before
    response = show(
        request,
        "subscribe",
        list=mailing_list,
        form=form,
        consent=consent_text(mailing_list),
        said=Answer.CLOSED.sentence if closed else answer.sentence if answer and not form.errors else "",
        closed=closed,
        stamp=stamp,
        # Not used up yet, because the form was not valid.
        solution=form["altcha"].data if form.is_bound and form.errors and answer is None else "",
        challenge=json.dumps(captcha.challenge(mailing_list, now=now)) if asks_captcha else "",
        captcha_words=json.dumps(captcha.words()),
    )
    if asks_captcha:
        response.headers["Content-Security-Policy"] = CAPTCHA_SECURITY_POLICY
    return response
