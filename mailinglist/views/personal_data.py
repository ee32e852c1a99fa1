"""What is stored about a person, for that person: the mail with a fresh link, and the page behind it.

An ordinary mail may have been forwarded, so its links can only ask for the mail; the link in that one opens the page.
Downloading and erasing are POSTs, because mail scanners open links.
"""

from django.http import HttpRequest, HttpResponse

from mailinglist import erasure, person_data
from mailinglist.models import MailingList, Subscriber
from mailinglist.views.pages import masked, person, show, token_page


@token_page("preferences")
def ask(request: HttpRequest, subscriber: Subscriber, mailing_list: MailingList) -> HttpResponse:
    """Mail the link. The answer is the same when it was mailed today already, or may not be."""
    if request.method == "POST":
        person_data.ask(subscriber, mailing_list, by=person(request, page="data"))
    asked = request.method == "POST"
    return show(request, "data_ask", list=mailing_list, address=masked(subscriber.email), asked=asked)


@token_page("data")
def data(request: HttpRequest, subscriber: Subscriber, mailing_list: MailingList) -> HttpResponse:
    """Download everything, or have it erased."""
    wanted = request.POST.get("act") if request.method == "POST" else None
    if wanted == "download":
        return _download(subscriber)
    unsure = wanted == "erase" and not request.POST.get("sure")
    if wanted == "erase" and not unsure:
        why = "Erased at their own wish, on the page behind the link that was mailed to them."
        erasure.forget(subscriber.pk, by=person(request, page="data"), why=why)
        return show(request, "data_erased", list=mailing_list)
    return show(request, "data", list=mailing_list, address=masked(subscriber.email), unsure=unsure)


def _download(subscriber: Subscriber) -> HttpResponse:
    return HttpResponse(
        person_data.as_json(subscriber),
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="my-data.json"'},
    )
