"""What the further values of subscribers mean: text, number, date, yes or no, one of several."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextareaWidget

from mailinglist import attributes, signs
from mailinglist.csv_columns import meaning
from mailinglist.models import Attribute
from mailinglist.sending.messages import VALUE_NAMES
from mailinglist.staff import FirstStep, PlainAdmin, actor, ask, require
from mailinglist.whole_numbers import whole_number

MAX_CHOICES = 100


class AttributeForm(forms.ModelForm):
    choices = forms.CharField(
        label="Choices",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
        help_text="Of “one of several” only: one a line.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["choices"] = "\n".join(self.instance.choices)

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"].strip()
        if meaning(key) is not None:
            raise forms.ValidationError(
                f"“{key}” is a column with a meaning of its own in files. Choose another."
            )
        if key in VALUE_NAMES and key != self.instance.key:
            raise forms.ValidationError(
                f"“{key}” is what every mail fills in by itself, so this value could never be used in one. Choose "
                "another name."
            )
        return key

    def clean_choices(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["choices"].splitlines()]
        found = list({line.lower(): line for line in reversed(lines) if line}.values())[::-1]
        if len(found) > MAX_CHOICES or any(len(line) > 100 for line in found):
            raise forms.ValidationError(f"Write {MAX_CHOICES} choices at most, of 100 characters each.")
        if any(signs.first_control(line) for line in found):
            raise forms.ValidationError("A choice has a control character.")
        return found

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("kind") == Attribute.Kind.CHOICE:
            if not values.get("choices") and "choices" not in self.errors:
                self.add_error("choices", "Write the choices, one a line.")
        else:
            values["choices"] = []
        return values


@admin.register(Attribute)
class AttributeAdmin(PlainAdmin):
    form = AttributeForm
    list_display = ("label", "key", "kind")
    ordering = ("label",)
    fields = ("label", "key", "kind", "choices")
    empty_text = (
        "Say here what a further value of people is, for example that “city” is a text and “born” a date: it is then "
        "checked in imports, has a field on the person's page, and segments can compare it. Other values stay texts."
    )
    first_step = FirstStep(
        "Begin with one that your files have.",
        "Define a value",
        "mailinglist_attribute_add",
        "mailinglist.add_attribute",
    )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def save_model(self, request: HttpRequest, obj: Attribute, form: Any, change: bool) -> None:
        attributes.save(obj, by=actor(request))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        require(request, "mailinglist.delete_attribute")
        attribute = get_object_or_404(Attribute, pk=whole_number(object_id))
        table = reverse("admin:mailinglist_attribute_changelist")
        if request.method == "POST":
            attributes.remove(attribute, by=actor(request))
            messages.success(request, "It is a text like any other again. Nobody's value changed.")
            return HttpResponseRedirect(table)
        return ask(
            request,
            title=f"Forget what “{attribute}” means",
            sentences=[
                "Nobody's value changes: it is a text like any other again, shown under “Other values”."
            ],
            button="Forget it",
            back=table,
        )
