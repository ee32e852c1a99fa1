"""An action on chosen rows that wants a reason first: the page that asks, and the answer. Used by the admin's lists."""

from collections.abc import Callable, Sequence

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from mailinglist.staff import ReasonForm, page

#: More rows than this are not done in one request; the pages by domain and time, and incidents, do more.
MOST = 1000


def ask_and_act(
    request: HttpRequest,
    chosen: QuerySet,
    *,
    action: str,
    title: str,
    sentences: Sequence[str],
    button: str,
    act: Callable[[list[int], str], str],
    danger: bool = False,
) -> HttpResponse | None:
    """Ask for the reason, then call ``act(ids, why)`` and show its sentence. None: back to the list."""
    ids = list(chosen.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
    if len(ids) > MOST:
        messages.error(request, f"Choose at most {MOST} rows. For more there is “Take back bounces”.")
        return None
    form = ReasonForm(request.POST if "why" in request.POST else None)
    if form.is_valid():
        messages.success(request, act(ids, form.cleaned_data["why"]))
        return None
    context = {
        "form": form,
        "sentences": sentences,
        "button": button,
        "danger": danger,
        "action": action,
        "ids": ids,
        "field": ACTION_CHECKBOX_NAME,
        "back": request.get_full_path(),
    }
    return page(request, "admin/bounces/selection.html", title, context)
