"""The forms that strangers fill in: sign-up, preferences, why they left. They check and translate; views do the rest.

The field for a person's name is the staff pages' too.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mailinglist import addresses, fill_time, mail_domains, signs, typos, zones
from mailinglist.models import MailingList, Subscriber, Subscription
from mailinglist.models.validators import one_line

NAME_LENGTH = 200


class PersonNameField(forms.CharField):
    """A person's name, by the same rule as in an import: one line, without invisible signs, composed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": NAME_LENGTH, "required": False, "validators": [one_line], **kwargs})

    def to_python(self, value: Any) -> str:
        return signs.person_name(super().to_python(value) or "")


class SignUpForm(forms.Form):
    """Joining a list. ``website`` is a trap: people do not see it, programs that fill in everything do."""

    TRAP = "website"

    email = forms.CharField(
        label=_("Email address"),
        # No max_length: addresses.normalise says in words what is too long.
        widget=forms.EmailInput(
            attrs={"autocomplete": "email", "autocapitalize": "none", "spellcheck": "false"}
        ),
        error_messages={"required": _("Write your email address here.")},
    )
    name = PersonNameField(
        label=_("Name"),
        help_text=_("How mails of this list may greet you. You can leave it empty."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    #: Asked by lists whose tracking needs consent; its label is tracking_text.
    tracking = forms.BooleanField(required=False)
    website = forms.CharField(
        label=_("Leave this empty"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )
    #: When the form was shown (fill_time.stamp), the solution of a captcha, and the address that a person keeps
    #: although it looks mistyped.
    stamp = forms.CharField(required=False, widget=forms.HiddenInput())
    altcha = forms.CharField(required=False, widget=forms.HiddenInput())
    keep = forms.CharField(required=False, widget=forms.HiddenInput())
    #: What was probably meant, where the address looks mistyped: the form is not valid then.
    suggestion = ""
    #: The address as it would be kept.
    typed = ""

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, mailing_list: MailingList | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        self.fields["stamp"].initial = fill_time.stamp
        if wording := tracking_text(mailing_list) if mailing_list else "":
            self.fields["tracking"].label = wording
        else:
            del self.fields["tracking"]

    def clean_email(self) -> str:
        try:
            address = addresses.normalise(self.cleaned_data["email"])
        except addresses.BadAddress as bad:
            raise ValidationError(gettext(bad.sentence), code="address", params=bad.values) from bad
        if mail_domains.is_disposable(address.domain):
            raise ValidationError(
                _("Mailboxes at %(domain)s are thrown away. Please use an address that you keep."),
                code="disposable",
                params={"domain": address.domain},
            )
        meant = typos.suggestion(address.domain)
        if meant and self.data.get("keep", "") != address.as_written:
            self.typed = address.as_written
            self.suggestion = f"{address.as_written.rpartition('@')[0]}@{meant}"
            raise ValidationError(
                _("Did you mean %(address)s?"), code="mistyped", params={"address": self.suggestion}
            )
        return address.as_written

    @property
    def filled_seconds(self) -> float | None:
        """How long the visitor had the form in front of them; None: not known."""
        return fill_time.seconds(self.cleaned_data["stamp"])

    @property
    def is_from_a_robot(self) -> bool:
        return bool(self.cleaned_data.get(self.TRAP))


class PreferencesForm(forms.Form):
    """The person's name and which of their lists they keep.

    The page posts every list that it showed (``shown``) and those still ticked (``keep``): a list joined in
    another window meanwhile is neither, and stays.
    """

    name = PersonNameField(label=_("Name"), widget=forms.TextInput(attrs={"autocomplete": "name"}))
    language = forms.ChoiceField(label=_("Language"), required=False)
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        help_text=_("Some mails come at the same time of day for everybody, wherever they are."),
    )

    def __init__(
        self, data: QueryDict | None = None, *, subscriber: Subscriber | None = None, **kwargs: Any
    ) -> None:
        person = subscriber or Subscriber()
        initial = {name: getattr(person, name) for name in self.base_fields}
        super().__init__(data, initial=initial, **kwargs)
        # What an import brought stays a choice, so that saving the page does not lose it.
        self._offer("language", settings.LANGUAGES, _("The language of each list"))
        self._offer("time_zone", [(zone, _(zones.place(zone))) for zone in zones.COMMON], _("Not known"))
        self._left = set(data.getlist("shown")) - set(data.getlist("keep")) if data else set()
        self._may_track = set(data.getlist("track")) if data else set()
        self._asked_to_track = set(data.getlist("track-shown")) if data else set()

    def details(self) -> dict[str, str]:
        """What was sent of name, language and time zone: a page that was open for long may not have all of them."""
        return {name: self.cleaned_data[name] for name in self.fields if name in self.data}

    def _offer(self, name: str, choices: list[tuple[str, Any]], nothing: Any) -> None:
        present = str(self.initial[name])
        known = [("", nothing), *choices]
        more = [] if present in dict(known) else [(present, present)]
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [*known, *more]

    def kept(self, subscriptions: list[Subscription]) -> set[int]:
        """The ids of the lists that the person keeps, out of their present subscriptions."""
        return {found.list_id for found in subscriptions if found.list.slug not in self._left}

    def tracking(self, subscriptions: list[Subscription]) -> dict[int, bool]:
        """The answers about opens and clicks, by list id, for the lists where the page asked."""
        return {
            found.list_id: found.list.slug in self._may_track
            for found in subscriptions
            if found.list.slug in self._asked_to_track
        }


class FarewellForm(forms.Form):
    """Why somebody left. All of it is optional; what is written is for the managers of the list."""

    because = forms.ChoiceField(
        label=_("Why did you leave?"),
        required=False,
        choices=[choice for choice in Subscription.LeftBecause.choices if choice[0]],
        widget=forms.RadioSelect(),
    )
    words = forms.CharField(
        label=_("Anything else you want to tell us?"),
        required=False,
        max_length=500,
        help_text=_("The people who run the list read it. At most 500 letters."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean_words(self) -> str:
        words: str = signs.visible(self.cleaned_data["words"])
        if signs.first_control(words):
            raise ValidationError(_("Write this without control characters."))
        return words


def consent_text(mailing_list: MailingList) -> str:
    """What a person agrees to by the button of the sign-up form; shown there and kept as evidence."""
    if mailing_list.consent_wording:
        return mailing_list.consent_wording
    return gettext("Yes, send me the mails of “%(list)s”. I can unsubscribe at any time.") % {
        "list": mailing_list.name
    }


def tracking_text(mailing_list: MailingList) -> str:
    """The box about opens and clicks; "" where the list does not ask. Shown, and kept as evidence."""
    if mailing_list.tracking != MailingList.Tracking.CONSENT:
        return ""
    return gettext(
        "You may note which mails of “%(list)s” I open and which links I follow, to make them better. I can change "
        "this at any time."
    ) % {"list": mailing_list.name}
