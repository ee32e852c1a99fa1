"""The forms of an import: the file, then what its columns are and how the people agreed."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from mailinglist.csv_columns import ATTRIBUTE
from mailinglist.import_files import Sample, attribute
from mailinglist.models import Import, MailingList

ENCODINGS = [
    ("utf-8", "UTF-8"),
    ("cp1252", "Windows, Western Europe (cp1252)"),
    ("latin-1", "Latin-1"),
    ("cp1250", "Windows, Central Europe (cp1250)"),
    ("cp1251", "Windows, Cyrillic (cp1251)"),
    ("utf-16", "UTF-16"),
    ("utf-16-le", "UTF-16, little-endian, unmarked"),
    ("utf-16-be", "UTF-16, big-endian, unmarked"),
    ("utf-32", "UTF-32"),
]
FIELDS = [
    ("", "Leave out"),
    ("email", "Address"),
    ("name", "Name"),
    ("language", "Language"),
    ("time_zone", "Time zone"),
    ("status", "Status"),
    ("consent_at", "Time of consent"),
    ("consent_ip", "IP address of consent"),
]


class UploadForm(forms.Form):
    mailing_list = forms.ModelChoiceField(
        MailingList.objects.all(), label="List", widget=UnfoldAdminSelectWidget()
    )
    file = forms.FileField(
        label="File",
        allow_empty_file=True,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
    )
    encoding = forms.ChoiceField(
        choices=[("", "Find it out"), *ENCODINGS],
        required=False,
        label="Text encoding",
        widget=UnfoldAdminSelectWidget(),
        help_text="You see on the next page whether names are right, and can change it there.",
    )

    def __init__(self, *args: Any, lists: QuerySet[MailingList], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mailing_list"].queryset = lists  # type: ignore[attr-defined]


class ReadAsForm(forms.Form):
    encoding = forms.ChoiceField(choices=ENCODINGS, label="Text encoding", widget=UnfoldAdminSelectWidget())


class ColumnsForm(forms.Form):
    """A choice for each column of the file, and what holds for all rows."""

    consent_text = forms.CharField(
        label="How did these people agree to get mail from this list?",
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="For example: ticked the box “newsletter” in our shop, 2021 to 2024. Kept with every new subscription "
        "as evidence.",
    )
    status = forms.ChoiceField(
        label="New people are",
        choices=[
            ("confirmed", "subscribed: they have agreed"),
            ("pending", "waiting: they get no campaign until they sign up and confirm"),
        ],
        widget=UnfoldAdminSelectWidget(),
    )
    update = forms.BooleanField(
        label="Also change people who are known",
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Takes names and values from the file where it says something, and ends subscriptions that it calls "
        "unsubscribed. Off: known people stay as they are.",
    )

    def __init__(self, *args: Any, row: Import, sample: Sample, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update(consent_text=row.consent_text, status=row.status, update=row.update)
        self._sample = sample
        for place, (name, now) in enumerate(zip(row.header, row.columns, strict=True)):
            values = {attribute(name, place + 1) if name else f"{ATTRIBUTE}value_{place + 1}"}
            if now.startswith(ATTRIBUTE):
                values.add(now)
            tags = [(value, f"Value {{{{ {value.removeprefix(ATTRIBUTE)} }}}}") for value in sorted(values)]
            self.fields[f"column_{place}"] = forms.ChoiceField(
                choices=[*FIELDS, *tags],
                required=False,
                initial=now,
                widget=UnfoldAdminSelectWidget(attrs={"aria-label": f"What “{name}” is"}),
            )
        self._columns = len(row.header)

    @property
    def table(self) -> list[tuple[str, list[str], forms.BoundField]]:
        """Each column: its name, what stands in it, and the choice."""
        return [
            (name, [cells[place] for cells in self._sample.rows if cells[place]][:2], self[f"column_{place}"])
            for place, name in enumerate(self._sample.header)
        ]

    @property
    def rest(self) -> list[forms.BoundField]:
        return [self[name] for name in ("consent_text", "status", "update")]

    @property
    def columns(self) -> list[str]:
        return [self.cleaned_data[f"column_{place}"] for place in range(self._columns)]
