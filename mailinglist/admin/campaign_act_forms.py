"""The questions that the acts of campaign_acts.py ask: the number of people, addresses for a test, a reason."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from mailinglist import access, addresses
from mailinglist.csv_rows import shown
from mailinglist.models import Subscriber
from mailinglist.sending import audience_preview
from mailinglist.staff import find_subscribers

#: More test mails at once are a campaign.
MAX_TESTS = 10


class StartForm(forms.Form):
    """The number of recipients, typed by hand: the last moment to notice that it is the wrong list.

    What is typed must be what the page showed, and what the page showed must still be right.
    """

    shown = forms.IntegerField(required=False, widget=forms.HiddenInput())
    number = forms.IntegerField(
        min_value=1, widget=UnfoldAdminIntegerFieldWidget(attrs={"autocomplete": "off"})
    )

    def __init__(
        self, data: Any = None, *, expected: int, about: bool = False, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial={**(initial or {}), "shown": expected})
        self.expected, self.about = expected, about
        self.fields["number"].label = f"Type {expected} to confirm"

    def clean_number(self) -> int:
        number: int = self.cleaned_data["number"]
        shown = self.cleaned_data.get("shown")
        shown = self.expected if shown is None else shown
        if not audience_preview.near(shown, self.expected, about=False):
            # The page that is shown now begins with the new number.
            self.data = {**self.data, "number": "", "shown": self.expected}
            raise forms.ValidationError(
                f"It would go to {self.expected:,} people now, not to {shown:,} any more. Type the new number."
            )
        if number != shown:
            raise forms.ValidationError(
                f"The campaign would go to {self.expected} people now. Type that number."
            )
        return number


class TestForm(forms.Form):
    to = forms.CharField(
        label="Send a test to",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=f"Up to {MAX_TESTS} addresses, one per line. The subject begins with [Test].",
    )

    seen_by = forms.CharField(
        label="With the values of",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "an address"}),
        help_text="A subscriber whose name and other values the test shows. Empty: those of each address above. The "
        "links to unsubscribe are the recipients’ own in any case.",
    )

    def __init__(self, data: Any = None, *, initial: dict[str, Any], user: Any) -> None:
        super().__init__(data, initial=initial)
        self.user = user
        if not user.has_perm("mailinglist.view_subscriber"):
            del self.fields["seen_by"]

    def clean_seen_by(self) -> Subscriber | None:
        wanted = self.cleaned_data["seen_by"].strip()
        if not wanted:
            return None
        people = access.visible(find_subscribers(wanted), self.user, "mailinglist.view_subscriber")
        found = people.order_by("email_key").first()
        if found is None:
            raise forms.ValidationError("No subscriber of your lists has this address.")
        return found

    def clean_to(self) -> list[str]:
        lines = [
            line.strip() for line in self.cleaned_data["to"].replace(",", "\n").splitlines() if line.strip()
        ]
        if len(lines) > MAX_TESTS:
            raise forms.ValidationError(
                f"These are {len(lines)} addresses; a test goes to {MAX_TESTS} at most."
            )
        found, wrong = [], []
        for text in lines:
            try:
                found.append(addresses.normalise(text).as_written)
            except addresses.BadAddress as bad:
                wrong.append(forms.ValidationError(f"“{shown(text)}”: {bad}"))
        if wrong:
            raise forms.ValidationError(wrong)
        return found


class FollowUpForm(forms.Form):
    newcomers = forms.BooleanField(
        label="Also to new subscribers",
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Those who subscribed to its lists after it was started.",
    )


class WhyForm(forms.Form):
    why = forms.CharField(
        label="Why?",
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Shown to the other managers, and kept in the history.",
    )
