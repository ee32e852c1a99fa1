"""The rows of roles on a manager's page: nothing is given that was not chosen, and “all lists” is a choice in words."""

from typing import Any

from django import forms
from django.forms.models import BaseInlineFormSet
from django.utils.functional import cached_property
from unfold.widgets import UnfoldAdminSelectWidget

from mailinglist.models import MailingList, Membership

#: Stands for no list in particular; ids are numbers.
EVERYWHERE = "everywhere"
_CHOOSE = ("", "Choose …")

Choices = list[tuple[str, str]]


class RoleForm(forms.ModelForm):
    """One role. A row in which nothing was chosen is not saved; half a choice is an error."""

    role = forms.ChoiceField(
        choices=[_CHOOSE, *Membership.Role.choices],
        widget=UnfoldAdminSelectWidget,
        error_messages={"required": "Choose a role."},
    )
    list = forms.ChoiceField(
        label="For",
        widget=UnfoldAdminSelectWidget,
        error_messages={"required": "Choose the list that the role is for, or the whole installation."},
    )

    class Meta:
        model = Membership
        fields = ("role", "list", "may_export")

    def __init__(self, *args: Any, places: Choices, **kwargs: Any) -> None:
        """``places``: the choices of ``list``."""
        super().__init__(*args, **kwargs)
        self.fields["list"].choices = places  # type: ignore[attr-defined]
        if self.instance.pk:
            self.initial["list"] = str(self.instance.list_id or EVERYWHERE)

    def clean_list(self) -> MailingList | None:
        chosen = self.cleaned_data["list"]
        if chosen == EVERYWHERE:
            return None
        row = MailingList.objects.filter(pk=chosen).first()
        if row is None:
            raise forms.ValidationError("This list was deleted meanwhile.")
        return row


class RoleFormSet(BaseInlineFormSet):
    """The roles of one manager; at most one for the same place."""

    @cached_property
    def places(self) -> Choices:
        named = MailingList.objects.order_by("name", "pk").values_list("pk", "name")
        return [
            _CHOOSE,
            (EVERYWHERE, "the whole installation: all lists, also those that come later"),
            *((str(pk), name) for pk, name in named),
        ]

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "places": self.places}

    def clean(self) -> None:
        super().clean()
        met: set[MailingList | None] = set()
        for form in self.forms:
            row: dict[str, Any] = getattr(form, "cleaned_data", {})
            if "list" not in row or row.get("DELETE"):
                continue
            if row["list"] in met:
                raise forms.ValidationError(
                    f"There are two roles for {row['list'] or 'the whole installation'}. Keep one of them."
                )
            met.add(row["list"])
