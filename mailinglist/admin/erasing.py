"""The staff's pages about a person's data: download them, erase them. Wired in by admin/subscribers.py."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from mailinglist import access, addresses, erasure, exports, person_data
from mailinglist.models import Subscriber
from mailinglist.staff import actor, ask, found, recipient_url, require


class EraseForm(forms.Form):
    """The address, typed again: the wrong person cannot be brought back."""

    address = forms.CharField(
        label="Type the address to go on",
        max_length=320,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )

    def __init__(self, subscriber: Subscriber, *args: Any) -> None:
        super().__init__(*args)
        self._person = subscriber

    def clean_address(self) -> str:
        try:
            typed = addresses.normalise(self.cleaned_data["address"])
        except addresses.BadAddress as bad:
            raise forms.ValidationError(str(bad)) from bad
        if typed.key != self._person.email_key:
            raise forms.ValidationError("This is not the address of this person.")
        return typed.as_written


def erase(request: HttpRequest, subscriber_id: int) -> HttpResponse:
    """Ask, then erase a person."""
    require(request, "mailinglist.view_subscriber")
    subscriber = found(request, Subscriber, subscriber_id, "mailinglist.delete_subscriber")
    form = EraseForm(subscriber, request.POST or None)
    if request.method == "POST" and form.is_valid():
        done = erasure.forget(subscriber.pk, by=actor(request), why="Erased by a manager.")
        messages.success(
            request, f"Erased. {done.mails} mails stay in the numbers of their campaigns, without the person."
        )
        return HttpResponseRedirect(reverse("admin:mailinglist_subscriber_changelist"))
    return ask(
        request,
        title=f"Erase {subscriber.email}",
        sentences=[
            "Everything that names this person is deleted: subscriptions, consents, what came back about their mails. "
            "The numbers of campaigns stay as they are.",
            "A fingerprint of the address stays on the suppression list, so that no import brings it back. The person "
            "can sign up again themselves.",
        ],
        warnings=["This cannot be undone."],
        form=form,
        button="Erase for good",
        back=recipient_url(subscriber.pk),
        danger=True,
    )


def download(request: HttpRequest, subscriber_id: int) -> HttpResponse:
    """Ask, then give everything that is stored about a person, for an answer to them by another way than mail."""
    require(request, "mailinglist.view_subscriber")
    subscriber = found(request, Subscriber, subscriber_id, access.PERSON_FILE)
    if request.method != "POST":
        return ask(
            request,
            title=f"Download all data of {subscriber.email}",
            sentences=[
                "One file (JSON) with everything that is stored about this person, of all lists.",
                "That you took it stands in their history.",
            ],
            button="Download",
            back=recipient_url(subscriber.pk),
        )
    exports.record_person(subscriber, by=actor(request))
    return HttpResponse(
        person_data.as_json(subscriber),
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="person-{subscriber.pk}.json"'},
    )
