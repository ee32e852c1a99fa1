"""The public lists, signing up, and the button behind the link of a confirmation mail."""

from enum import StrEnum

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from mailinglist import subscriptions
from mailinglist.forms import SignUpForm, consent_text, tracking_text
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
    mailing_list = public_list(slug)
    form = SignUpForm(request.POST if request.method == "POST" else None, mailing_list=mailing_list)
    ticket = request.POST.get("came_from", "")
    came_from = landing.read(ticket)
    if form.is_valid():
        name = FormName.PAGE if came_from is None else FormName.HTML
        sign_up(request, mailing_list, form, form_name=name, came_from=came_from or "")
        return redirect("check-mail", slug=slug)
    return landing.show_form(request, mailing_list, form, ticket="" if came_from is None else ticket)


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


def sign_up(
    request: HttpRequest,
    mailing_list: MailingList,
    form: SignUpForm,
    *,
    form_name: FormName,
    came_from: str = "",
) -> None:
    """What every sign-up form does with valid answers. Nothing, when a robot filled it in; the answer is the same.

    ``came_from``: the page or origin of another site that the form stood on, as its browser says.
    """
    if form.is_from_a_robot:
        return
    tracking = form.cleaned_data.get("tracking")
    said = "\n".join([consent_text(mailing_list), *([tracking_text(mailing_list)] if tracking else [])])
    consent = visitor.agrees(request, form=form_name.value, text=said, tracking=tracking)
    evidence = {"form": form_name.value} | ({"came_from": came_from} if came_from else {})
    subscriptions.subscribe(
        mailing_list,
        form.cleaned_data["email"],
        name=form.cleaned_data["name"],
        consent=consent,
        source=form_name,
        by=person(request, page="subscribe", **evidence),
    )
