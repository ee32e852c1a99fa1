"""The page where a person sees and changes what they get."""

from django.http import HttpRequest, HttpResponse

from mailinglist import subscriptions, tracking
from mailinglist.forms import PreferencesForm, tracking_text
from mailinglist.models import MailingList, Subscriber
from mailinglist.views import visitor
from mailinglist.views.pages import active, masked, person, show, token_page


@token_page("preferences")
def preferences(request: HttpRequest, subscriber: Subscriber, mailing_list: MailingList) -> HttpResponse:
    """The person's name and lists. Nothing to export or erase: a forwarded mail carries this link along."""
    present = active(subscriber)
    form = PreferencesForm(
        request.POST if request.method == "POST" else None, initial={"name": subscriber.name}
    )
    saved, left = False, 0
    if form.is_valid():
        left = subscriptions.change_preferences(
            subscriber,
            name=form.cleaned_data["name"],
            keep_list_ids=form.kept(present),
            by=person(request, page="preferences"),
        )
        tracking.choose(
            subscriber,
            form.tracking(present),
            texts={found.list_id: tracking_text(found.list) for found in present},
            consent=visitor.agrees(request, form="preferences"),
            by=person(request, page="preferences"),
        )
        saved, present = True, active(subscriber)
    return show(
        request,
        "preferences",
        form=form,
        subscriptions=present,
        address=masked(subscriber.email),
        saved=saved,
        left=left,
    )
