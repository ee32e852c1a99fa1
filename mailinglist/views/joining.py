"""The public lists, signing up, and the button behind the link of a confirmation mail."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from mailinglist import subscriptions
from mailinglist.forms import SignUpForm, consent_text, tracking_text
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
    if form.is_valid():
        if not form.is_from_a_robot:
            _sign_up(request, mailing_list, form)
        return redirect("check-mail", slug=slug)
    return show(
        request,
        "subscribe",
        list=mailing_list,
        form=form,
        consent=consent_text(mailing_list),
        tracking=tracking_text(mailing_list),
    )


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
        subscriber,
        mailing_list,
        ip=visitor.ip(request),
        user_agent=visitor.user_agent(request),
        text=gettext("Yes, subscribe me"),
        by=person(request, page="confirm"),
    )
    return show(request, "confirmed" if confirmed else "nothing_to_confirm", list=mailing_list)


def _sign_up(request: HttpRequest, mailing_list: MailingList, form: SignUpForm) -> None:
    wording = tracking_text(mailing_list)
    tracking = form.cleaned_data["tracking"] if wording else None
    said = "\n".join([consent_text(mailing_list), *([wording] if tracking else [])])
    consent = visitor.agrees(request, form="page", text=said, tracking=tracking)
    subscriptions.subscribe(
        mailing_list,
        form.cleaned_data["email"],
        name=form.cleaned_data["name"],
        consent=consent,
        source="form",
        by=person(request, page="subscribe"),
    )
