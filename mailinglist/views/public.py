"""The pages that people meet without a login: lists, sign-up, confirmation, unsubscribe, preferences.

GET, HEAD and OPTIONS show and change nothing, because mail scanners open every link; only a POST acts. Behind
a token in the address the token is the proof, so those pages need no cookie and no CSRF token. No answer
tells a visitor whether an address is on a list. Links are relative: no address is built from the Host header.
"""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from mailinglist import subscriptions, tokens
from mailinglist.changes import Actor, Kind
from mailinglist.forms import PreferencesForm, SignUpForm, consent_text
from mailinglist.models import MailingList, Subscriber, Subscription
from mailinglist.views import visitor

TokenView = Callable[[HttpRequest, Subscriber, MailingList], HttpResponse]


def token_page(purpose: str) -> Callable[[TokenView], Callable[[HttpRequest, str], HttpResponse]]:
    """Decorator: reads the token of ``purpose``, answers 404 to a bad one, and keeps the page to itself.

    The page must not be cached, indexed or named to other sites. Its forms are exempt from CSRF checks: the
    token is the proof, mail programs have no cookies (RFC 8058), and under no-referrer browsers post
    ``Origin: null``.
    """

    def decorate(view: TokenView) -> Callable[[HttpRequest, str], HttpResponse]:
        @csrf_exempt
        @never_cache
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def page(request: HttpRequest, token: str) -> HttpResponse:
            try:
                subscriber, mailing_list = tokens.read_link(purpose, token)
            except tokens.BadToken as bad:
                response = _page(request, "bad_link", status=404, reason=str(bad))
            else:
                response = view(request, subscriber, mailing_list)
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["X-Robots-Tag"] = "noindex, nofollow"
            return response

        return page

    return decorate


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The public lists."""
    return _page(request, "home", lists=MailingList.objects.filter(is_public=True))


@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest, slug: str) -> HttpResponse:
    """The sign-up form of a public list. The answer is the same for every address that can exist."""
    mailing_list = _public_list(slug)
    form = SignUpForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        if not form.is_from_a_robot:
            _sign_up(request, mailing_list, form)
        return redirect("check-mail", slug=slug)
    return _page(request, "subscribe", list=mailing_list, form=form, consent=consent_text(mailing_list))


@require_safe
def check_mail(request: HttpRequest, slug: str) -> HttpResponse:
    """What happens after a sign-up; says nothing about the address."""
    return _page(request, "check_mail", list=_public_list(slug))


@token_page("confirm")
def confirm(request: HttpRequest, subscriber: Subscriber, mailing_list: MailingList) -> HttpResponse:
    """The button behind the link of a confirmation mail."""
    if request.method != "POST":
        return _page(request, "confirm", list=mailing_list, address=masked(subscriber.email))
    confirmed = subscriptions.confirm(
        subscriber, mailing_list, ip=visitor.ip(request), by=_person(request, page="confirm")
    )
    return _page(request, "confirmed" if confirmed else "nothing_to_confirm", list=mailing_list)


@token_page("unsubscribe")
def unsubscribe(request: HttpRequest, subscriber: Subscriber, mailing_list: MailingList) -> HttpResponse:
    """Leaving: by the mail program's button (RFC 8058, answered at once) or by the buttons of the page."""
    if request.method == "POST":
        if request.POST.get("List-Unsubscribe", "").lower() == "one-click":
            return _leave(request, subscriber, mailing_list, Subscription.Reason.ONE_CLICK)
        if "rejoin" in request.POST:
            return _rejoin(request, subscriber, mailing_list)
        if "confirm" in request.POST:
            return _leave(request, subscriber, mailing_list, Subscription.Reason.PAGE)
    active = _active(subscriber)
    return _page(
        request,
        "unsubscribe",
        list=mailing_list,
        address=masked(subscriber.email),
        subscribed=any(found.list_id == mailing_list.pk for found in active),
        others=[found.list for found in active if found.list_id != mailing_list.pk],
        to_rejoin=_to_rejoin(subscriber, mailing_list),
    )


@token_page("preferences")
def preferences(request: HttpRequest, subscriber: Subscriber, mailing_list: MailingList) -> HttpResponse:
    """The person's name and lists. Nothing to export or erase: a forwarded mail carries this link along."""
    active = _active(subscriber)
    form = PreferencesForm(
        request.POST if request.method == "POST" else None, initial={"name": subscriber.name}
    )
    saved, left = False, 0
    if form.is_valid():
        left = subscriptions.change_preferences(
            subscriber,
            name=form.cleaned_data["name"],
            keep_list_ids=form.kept(active),
            by=_person(request, page="preferences"),
        )
        saved, active = True, _active(subscriber)
    return _page(
        request,
        "preferences",
        form=form,
        subscriptions=active,
        address=masked(subscriber.email),
        saved=saved,
        left=left,
    )


def masked(email: str) -> str:
    """An address that its owner recognises and that a forwarded mail's reader does not learn."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}•••@{domain}"


def _sign_up(request: HttpRequest, mailing_list: MailingList, form: SignUpForm) -> None:
    consent = subscriptions.Consent(
        at=timezone.now(),
        ip=visitor.ip(request),
        user_agent=visitor.user_agent(request),
        text=consent_text(mailing_list),
    )
    subscriptions.subscribe(
        mailing_list,
        form.cleaned_data["email"],
        name=form.cleaned_data["name"],
        consent=consent,
        source="form",
        by=_person(request, page="subscribe"),
    )


def _leave(
    request: HttpRequest, subscriber: Subscriber, mailing_list: MailingList, reason: Subscription.Reason
) -> HttpResponse:
    everywhere = reason == Subscription.Reason.PAGE and request.POST.get("scope") == "all"
    subscriptions.unsubscribe(
        subscriber.pk,
        reason=reason,
        by=_person(request, page="unsubscribe"),
        why=f"Left by {reason.label}.",
        list_ids=None if everywhere else [mailing_list.pk],
    )
    return _page(
        request,
        "unsubscribed",
        list=mailing_list,
        everywhere=everywhere,
        to_rejoin=_to_rejoin(subscriber, None if everywhere else mailing_list),
    )


def _rejoin(request: HttpRequest, subscriber: Subscriber, mailing_list: MailingList) -> HttpResponse:
    wanted = list(MailingList.objects.filter(slug__in=request.POST.getlist("rejoin")))
    subscriptions.rejoin(subscriber, [found.pk for found in wanted], by=_person(request, page="unsubscribe"))
    active = {found.list_id for found in _active(subscriber)}
    back = [found for found in wanted if found.pk in active]
    return _page(request, "rejoined" if back else "too_late", list=mailing_list, lists=back)


def _to_rejoin(subscriber: Subscriber, mailing_list: MailingList | None) -> list[MailingList]:
    """The lists to offer a way back to: ``mailing_list``, or (None) all that the person's last act ended."""
    rows = list(
        subscriptions.rejoinable(subscriber).select_related("list").order_by("-unsubscribed_at", "list")
    )
    if mailing_list is not None:
        return [row.list for row in rows if row.list_id == mailing_list.pk]
    return [row.list for row in rows if row.unsubscribed_at == rows[0].unsubscribed_at]


def _active(subscriber: Subscriber) -> list[Subscription]:
    rows = Subscription.objects.filter(subscriber=subscriber).exclude(status=Subscription.Status.UNSUBSCRIBED)
    return list(rows.select_related("list").order_by("list__name", "list_id"))


def _public_list(slug: str) -> MailingList:
    return get_object_or_404(MailingList, slug=slug, is_public=True)


def _person(request: HttpRequest, *, page: str) -> Actor:
    return Actor(Kind.PERSON, evidence={"page": page, "user_agent": visitor.user_agent(request)})


def _page(request: HttpRequest, name: str, *, status: int = 200, **context: object) -> HttpResponse:
    return render(request, f"mailinglist/public/{name}.html", context, status=status)
