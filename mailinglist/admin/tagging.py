"""The actions of the table of subscribers that put a tag on people, or take one off."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from mailinglist import tags
from mailinglist.models import Subscriber, Tag
from mailinglist.models.validators import one_line
from mailinglist.staff import actor, capped_counts, page


class AddForm(forms.Form):
    tag = forms.ModelChoiceField(
        Tag.objects.all(), required=False, empty_label="A new one:", widget=UnfoldAdminSelectWidget()
    )
    new = forms.CharField(
        label="New tag",
        required=False,
        max_length=60,
        validators=[one_line],
        widget=UnfoldAdminTextInputWidget(),
    )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if not self.errors and not values.get("tag") and not values.get("new"):
            raise forms.ValidationError("Choose a tag, or write a new one.")
        if values.get("tag") and values.get("new"):
            raise forms.ValidationError("Choose a tag or write a new one, not both.")
        return values


class RemoveForm(forms.Form):
    tag = forms.ModelChoiceField(Tag.objects.all(), widget=UnfoldAdminSelectWidget())


def ask_for_tag(request: HttpRequest, queryset: QuerySet[Subscriber], *, add: bool) -> HttpResponse:
    """Asks which tag, then does it to all chosen people. The rows stay chosen in hidden fields of the question."""
    people = Subscriber.objects.filter(pk__in=queryset.order_by().values("pk"))
    form_class = AddForm if add else RemoveForm
    answered = request.POST.get("answered") == "1"
    form = form_class(request.POST if answered else None)
    if answered and form.is_valid():
        by = actor(request)
        tag = form.cleaned_data["tag"] or tags.make(form.cleaned_data["new"], by=by)
        done = (tags.put if add else tags.take)(tag, people, by=by)
        words = "got the tag" if add else "lost the tag"
        messages.success(request, f"{done:,} {'person' if done == 1 else 'people'} {words} “{tag}”.")
        return HttpResponseRedirect(request.get_full_path())
    (number,) = capped_counts([people])
    return page(
        request,
        "admin/mailinglist/subscriber/tag.html",
        "Tag people" if add else "Take a tag off",
        {
            "form": form,
            "number": number,
            "action": request.POST.get("action", ""),
            "across": request.POST.get("select_across", "0"),
            "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "chosen_name": ACTION_CHECKBOX_NAME,
            "back": request.get_full_path(),
            "button": "Tag them" if add else "Take it off",
        },
    )
