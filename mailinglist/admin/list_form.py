"""The form of a list with its look: a colour that may be left out, and a picture that is checked before it is kept."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldBooleanSwitchWidget

from mailinglist import looks, pictures
from mailinglist.changes import Actor
from mailinglist.models import MailingList

#: What the colour input shows where none is chosen: the colour of the pages themselves.
STANDARD_COLOUR = "#1a4f8b"


class ColourInput(forms.TextInput):
    input_type = "color"


class ListForm(forms.ModelForm):
    own_colour = forms.BooleanField(
        label="A colour of its own",
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Off: the standard blue of the pages.",
    )
    accent = forms.CharField(
        label="Colour",
        required=False,
        widget=ColourInput(attrs={"class": "ml-colour"}),
        help_text="For buttons, links and edges of its public pages. Shades that can be read, on light and dark pages, "
        "are made from it.",
    )
    logo = forms.FileField(
        label="New logo",
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": "image/png,image/jpeg,image/webp,image/gif"}),
        help_text=f"PNG, JPEG, WebP or GIF, up to {pictures.MOST_BYTES // 1000} kB. It is shown at most "
        f"{looks.SHOWN_WIDTH} × {looks.SHOWN_HEIGHT} pixels large, so twice that looks sharp everywhere.",
    )
    remove_logo = forms.BooleanField(
        label="Remove the logo", required=False, widget=UnfoldBooleanSwitchWidget()
    )

    instance: MailingList

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        accent = self.instance.accent
        self.initial.update(own_colour=bool(accent), accent=accent or STANDARD_COLOUR)
        if not self.instance.logo_version:
            self.fields["remove_logo"].disabled = True
        if "stop_seconds" in self.fields:
            self.fields["stop_seconds"].required = False

    def clean_stop_seconds(self) -> int:
        """Empty: 0; not asked: as it was."""
        seconds: int | None = self.cleaned_data["stop_seconds"]
        if seconds is None:
            return 0 if "stop_seconds" in self.data else self.instance.stop_seconds
        return seconds

    def clean_logo(self) -> bytes | None:
        """The bytes of a picture that we take."""
        upload = self.cleaned_data.get("logo")
        if not upload:
            return None
        data = upload.read(pictures.MOST_BYTES + 1)
        try:
            if upload.size > len(data):
                raise pictures.BadPicture(
                    f"The file has {upload.size // 1000} kB; {pictures.MOST_BYTES // 1000} kB is the most."
                )
            pictures.read(data)
        except pictures.BadPicture as bad:
            raise forms.ValidationError(str(bad)) from bad
        return bytes(data)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        values["accent"] = values.get("accent", "").lower() if values.get("own_colour") else ""
        return values

    @property
    def settings_changed(self) -> list[str]:
        """The fields of the list that were changed; the logo records its change itself."""
        changed = [
            name
            for name in self.changed_data
            if name not in ("logo", "remove_logo", "own_colour")
            # A field that was not sent keeps its value.
            and self.cleaned_data.get(name) != self.initial.get(name)
        ]
        if "own_colour" in self.changed_data and "accent" not in changed:
            changed.append("accent")
        return changed

    def keep_logo(self, list_id: int, *, by: Actor) -> None:
        """Store or remove the picture, once the list is saved."""
        if self.cleaned_data.get("logo"):
            looks.set_logo(list_id, self.cleaned_data["logo"], by=by)
        elif self.cleaned_data.get("remove_logo"):
            looks.remove_logo(list_id, by=by)
