"""The fields of a person's typed values: one for each Attribute. What is stored stays until it is changed."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import reduce
from operator import or_
from typing import Any

from django import forms
from django.db.models import Q
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from mailinglist import attribute_values, signs
from mailinglist.attribute_values import Meaning
from mailinglist.models import Attribute

_PREFIX = "value_"


class TypedValueField(forms.CharField):
    """A value as text in the one spelling of its kind."""

    def __init__(self, attribute: Attribute) -> None:
        self.key = attribute.key
        self.meaning = Meaning(attribute.kind, tuple(attribute.choices))
        super().__init__(
            label=attribute.label,
            required=False,
            max_length=2000,
            widget=_widget(attribute),
            help_text=f"{{{{ {attribute.key} }}}} in mails. {_HINTS.get(attribute.kind, '')}".strip(),
        )

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if not signs.is_text(text) or signs.first_control(text):
            raise forms.ValidationError("This has signs that are no text.")
        return signs.visible(text)

    def stored(self, text: str) -> str:
        """Raises ValidationError with a sentence."""
        try:
            return attribute_values.stored(text, self.meaning)
        except ValueError as bad:
            raise forms.ValidationError({_name(self): str(bad)}) from bad


_HINTS = {"number": "With a point: 3.5", "date": "As 2026-11-24"}


def names() -> list[str]:
    return [name for name, _ in fields()]


def fields() -> list[tuple[str, TypedValueField]]:
    """Name of the form's field → the field, in the order of the labels."""
    found = []
    for attribute in Attribute.objects.all():
        field = TypedValueField(attribute)
        field.number = attribute.pk  # type: ignore[attr-defined]
        found.append((_name(field), field))
    return found


def names_in(form_fields: Mapping[str, forms.Field]) -> set[str]:
    return {name for name, field in form_fields.items() if isinstance(field, TypedValueField)}


def keys(form_fields: Mapping[str, forms.Field]) -> set[str]:
    return {field.key for field in _typed(form_fields.values())}


def key_of(field: TypedValueField) -> str:
    return field.key


def initial(form_fields: Mapping[str, forms.Field], stored: Any) -> dict[str, Any]:
    """What the fields show of a person's values, and under ``attributes`` what has no field."""
    values = stored if isinstance(stored, dict) else {}
    shown = {
        _name(field): attribute_values.shown(values.get(field.key)) for field in _typed(form_fields.values())
    }
    for field in _typed(form_fields.values()):
        _offer(field, shown[_name(field)])
    defined = keys(form_fields)
    return {**shown, "attributes": {key: value for key, value in values.items() if key not in defined}}


def cleaned(form_fields: Mapping[str, forms.Field], found: Mapping[str, Any], before: Any) -> dict[str, Any]:
    """Key → value to store. What was not changed stays as it is, also where it does not fit its kind. Raises
    ValidationError.
    """
    values = before if isinstance(before, dict) else {}
    result: dict[str, Any] = {}
    wrong: dict[str, Any] = {}
    for field in _typed(form_fields.values()):
        name = _name(field)
        if name not in found:
            continue
        if found[name] == attribute_values.shown(values.get(field.key)).strip():
            if field.key in values:
                result[field.key] = values[field.key]
            continue
        try:
            text = field.stored(found[name])
        except forms.ValidationError as bad:
            wrong.update(bad.message_dict)
            continue
        if text:
            result[field.key] = text
    if wrong:
        raise forms.ValidationError(wrong)
    return result


def searched(term: str) -> Q | None:
    """The condition of a search like city=Rome, where city is defined; None for everything else."""
    key, sign, text = (part.strip() for part in term.partition("="))
    attribute = Attribute.objects.filter(key=key).first() if sign and text else None
    if attribute is None:
        return None
    return having(attribute, text)


def having(attribute: Attribute, text: str) -> Q:
    """Who has this value, by index, in the spelling of its kind where it fits it."""
    with suppress(ValueError):
        text = attribute_values.stored(text, Meaning(attribute.kind, tuple(attribute.choices)))
    same: tuple[object, ...] = (text,)
    if attribute.kind == Attribute.Kind.YES_NO:
        # What was stored before it was defined may be spelt otherwise.
        same = {"yes": (True, *attribute_values.YES), "no": (False, *attribute_values.NO)}.get(text, same)
    return reduce(or_, (Q(attributes__contains={attribute.key: value}) for value in same))


def _typed(some: Iterable[forms.Field]) -> list[TypedValueField]:
    return [field for field in some if isinstance(field, TypedValueField)]


def _name(field: TypedValueField) -> str:
    return f"{_PREFIX}{field.number}"  # type: ignore[attr-defined]


def _widget(attribute: Attribute) -> forms.Widget:
    options = ["yes", "no"] if attribute.kind == Attribute.Kind.YES_NO else attribute.choices
    widget: forms.Widget = (
        UnfoldAdminSelectWidget(choices=[("", "–"), *((text, text) for text in options)])
        if options
        else UnfoldAdminTextInputWidget()
    )
    return widget


def _offer(field: TypedValueField, present: str) -> None:
    """A select also offers what is stored, or saving the page would change it."""
    choices = getattr(field.widget, "choices", None)
    if choices is not None and present not in {value for value, _ in choices}:
        field.widget.choices = [*choices, (present, f"{present} (not offered any more)")]
