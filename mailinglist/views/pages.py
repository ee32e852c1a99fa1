"""What all public pages share: how one is shown, what a token in the address proves, who is looked at and who acts.

GET, HEAD and OPTIONS show and change nothing, because mail scanners open every link; only a POST acts. Behind
a token in the address the token is the proof, so those pages need no cookie and no CSRF token. No answer
tells a visitor whether an address is on a list. Links are relative: no address is built from the Host header.
"""

from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from mailinglist import languages, public_lists, tokens
from mailinglist.changes import Actor, Kind
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
                languages.speak(subscriber.language, mailing_list.language, languages.of_browser(request))
                try:
                    response = view(request, subscriber, mailing_list)
                except Subscriber.DoesNotExist:
                    tokens.read_link(purpose, token)  # erased in the meantime: the link is dead now
                    raise
            except tokens.BadToken as bad:
                response = show(request, "bad_link", status=404, reason=gettext(str(bad)))
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["X-Robots-Tag"] = "noindex, nofollow"
            return response

        return page

    return decorate


def masked(email: str) -> str:
    """An address that its owner recognises and that a forwarded mail's reader does not learn."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}•••@{domain}"


def active(subscriber: Subscriber) -> list[Subscription]:
    rows = Subscription.objects.filter(subscriber=subscriber).exclude(status=Subscription.Status.UNSUBSCRIBED)
    return list(rows.select_related("list").order_by("list__name", "list_id"))


def public_list(request: HttpRequest, slug: str) -> MailingList:
    """The list, whose page speaks the visitor's language or else its own from here on. Http404 for a closed one."""
    mailing_list = public_lists.find(slug)
    if mailing_list is None:
        raise Http404
    languages.speak(languages.of_browser(request), mailing_list.language)
    return mailing_list


def person(request: HttpRequest, *, page: str, **more: str) -> Actor:
    return Actor(Kind.PERSON, evidence={"page": page, "user_agent": visitor.user_agent(request), **more})


def show(request: HttpRequest, name: str, *, status: int = 200, **context: object) -> HttpResponse:
    return render(request, f"mailinglist/public/{name}.html", context, status=status)
