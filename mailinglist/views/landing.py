"""Where a sign-up form of another site lands: on our own form, filled in, with one button left to press.

A foreign page can make a browser post anything, unseen. Such a post brings no CSRF token, so Django refuses it
before any view runs and asks ``csrf_failure`` (CSRF_FAILURE_VIEW) for the answer. Nothing is stored until the
person presses the button of our page, under the consent text that they then see. views/joining.py shows the
same form.
"""

import json

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.csrf import csrf_failure as too_old

from mailinglist import captcha, fill_time, gate, origins
from mailinglist.forms import SignUpForm, consent_text
from mailinglist.gate import Answer
from mailinglist.middleware import CAPTCHA_SECURITY_POLICY
from mailinglist.models import FormStep, MailingList
from mailinglist.views.pages import public_list, show

_SALT = "mailinglist.came-from"


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Our form with the fields of the foreign one; for every other post without a good token, a 403 in words.

    A form of our own always brings a token: with a bad one it was open too long, or there are no cookies, and
    the button would lead round in circles.
    """
    route = request.resolver_match
    foreign = request.method == "POST" and "csrfmiddlewaretoken" not in request.POST
    if not (foreign and route and route.url_name == "subscribe"):
        return too_old(request, reason)
    ticket = signing.dumps(_came_from(request), salt=_SALT)
    mailing_list = public_list(request, route.kwargs["slug"])
    return show_form(
        request, mailing_list, SignUpForm(request.POST, mailing_list=mailing_list), ticket=ticket, landed=True
    )


def show_form(
    request: HttpRequest,
    mailing_list: MailingList,
    form: SignUpForm,
    *,
    ticket: str,
    landed: bool = False,
    answer: Answer | None = None,
) -> HttpResponse:
    """The page with the sign-up form. ``ticket``: goes with it, and says where the form was begun. ``answer``: why what
    was sent did not get through.
    """
    now = timezone.now()
    step = gate.step(mailing_list, now=now)
    closed, asks_captcha = step == FormStep.Step.CLOSED, step in gate.CAPTCHA_STEPS
    # Who presses again has had the form since it was first shown.
    before = (form["stamp"].data or "") if form.is_bound else ""
    response = show(
        request,
        "subscribe",
        list=mailing_list,
        form=form,
        consent=consent_text(mailing_list),
        ticket=ticket,
        landed=landed,
        said=Answer.CLOSED.sentence if closed else answer.sentence if answer and not form.errors else "",
        closed=closed,
        stamp=fill_time.stamp() if fill_time.seconds(before) is None else before,
        # Not used up yet, because the form was not valid.
        solution=form["altcha"].data if form.is_bound and form.errors and answer is None else "",
        challenge=json.dumps(captcha.challenge(mailing_list, now=now)) if asks_captcha else "",
        captcha_words=json.dumps(captcha.words()),
    )
    if asks_captcha:
        response.headers["Content-Security-Policy"] = CAPTCHA_SECURITY_POLICY
    return response


def read(ticket: str) -> str | None:
    """The page or origin ("" when the browser kept it to itself) out of a ticket; None: it is none of ours."""
    try:
        return str(signing.loads(ticket, salt=_SALT))
    except signing.BadSignature:
        return None


def _came_from(request: HttpRequest) -> str:
    return origins.page(request.headers.get("Referer", "")) or origins.page(request.headers.get("Origin", ""))
