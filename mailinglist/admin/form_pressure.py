"""A list's sign-up form under pressure: the numbers of the last day, and the button that opens it at once."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mailinglist import form_numbers, form_steps
from mailinglist.models import FormStep, MailingList
from mailinglist.staff import actor, found, page
from mailinglist.templatetags.mailinglist_tags import badge

TONES = {
    FormStep.Step.OPEN: "success",
    FormStep.Step.CAPTCHA: "info",
    FormStep.Step.LIMITED: "warning",
    FormStep.Step.CLOSED: "danger",
}


def show(request: HttpRequest, list_id: int) -> HttpResponse:
    """GET: the numbers. POST: open the form again."""
    mailing_list = found(request, MailingList, list_id, "mailinglist.view_mailinglist")
    if request.method == "POST":
        found(request, MailingList, list_id, "mailinglist.change_mailinglist")
        if form_steps.open_again(list_id, by=actor(request)):
            messages.success(request, "The form is open. What came until now counts no more.")
        else:
            messages.info(request, "The form was open already; nothing changed.")
        return HttpResponseRedirect(address(list_id))
    numbers = form_numbers.of(list_id, now=timezone.now())
    context = {
        "list": mailing_list,
        "numbers": numbers,
        "tone": TONES[numbers.step],
        "is_open": numbers.step == FormStep.Step.OPEN,
        "may_open": request.user.has_perm("mailinglist.change_mailinglist"),
        "back": reverse("admin:mailinglist_mailinglist_change", args=[list_id]),
    }
    return page(
        request, "admin/mailinglist/form_pressure.html", f"Sign-up form of “{mailing_list.name}”", context
    )


def state(mailing_list: MailingList) -> SafeString:
    """A badge that links to the numbers, for the table of lists and the page of a list."""
    step = form_steps.current(getattr(mailing_list, "form_step", None), now=timezone.now())
    return format_html(
        '<a href="{}">{}</a>', address(mailing_list.pk), badge(step.label.capitalize(), TONES[step])
    )


def address(list_id: int) -> str:
    return reverse("admin:mailinglist_mailinglist_sign_ups", args=[list_id])
