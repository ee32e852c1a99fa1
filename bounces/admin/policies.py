"""What bounces do, for all lists and for single ones, with every rule as a sentence."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from bounces.admin import simulation
from bounces.admin.words import sentences
from bounces.models import Policy
from mailinglist.changes import Noun, record
from mailinglist.staff import FirstStep, PlainAdmin, actor

LABELS = {
    "soft_retry_days": "Send again after (days)",
    "soft_exhausted_unsubscribes": "Then end the subscription",
    "repeated_soft": "Soft bounces in",
    "repeated_window": "of the last campaigns",
    "repeated_days": "over at least (days)",
    "block_retry_days": "Send again after (days)",
    "hold_hours": "Wait (hours)",
}
#: Out of their groups, some names have to say what they are about.
_SIMULATED = {
    "soft_retry_days": "After a soft bounce, send again after (days)",
    "soft_exhausted_unsubscribes": "When its retries are used up, end the subscription",
    "block_retry_days": "After a block, send again after (days)",
    "hold_hours": "Hold a hard bounce of a known address (hours)",
    "repeated_soft": "Unreachable: soft bounces in so many campaigns",
    "repeated_window": "Unreachable: of the last so many campaigns",
    "repeated_days": "Unreachable: spread over at least (days)",
}


@admin.register(Policy)
class PolicyAdmin(PlainAdmin):
    list_display = ("title", "soft_retry_days", "soft_exhausted_unsubscribes", "hold_hours")
    list_select_related = ("list",)
    readonly_fields = ("in_words",)
    list_before_template = "admin/bounces/policy/intro.html"
    empty_text = "What bounces do to people: when a mail is tried again, and when a subscription ends."
    first_step = FirstStep(
        "Set the values for all lists first; a list can have its own later.",
        "Set the policy",
        "bounces_policy_add",
        "bounces.add_policy",
    )
    fieldsets = (
        (None, {"fields": ("list", "in_words")}),
        ("Soft bounces: a passing trouble", {"fields": ("soft_retry_days", "soft_exhausted_unsubscribes")}),
        (
            "Soft bounces in several campaigns: unreachable",
            {"fields": ("repeated_soft", "repeated_window", "repeated_days")},
        ),
        ("Blocks: the receiver refuses us", {"fields": ("block_retry_days",)}),
        ("Hard bounces: no such address", {"fields": ("hold_hours",)}),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "soft_retry_days":
            kwargs["widget"] = UnfoldAdminTextInputWidget()
        found = super().formfield_for_dbfield(db_field, request, **kwargs)
        if found is not None and db_field.name in LABELS:
            found.label = LABELS[db_field.name]
        return found

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.simulate_view)
        return [path("simulate/", view, name="bounces_policy_simulate"), *super().get_urls()]

    def simulate_view(self, request: HttpRequest) -> HttpResponse:
        return simulation.simulate(request, LABELS | _SIMULATED)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def has_delete_permission(self, request: HttpRequest, obj: Policy | None = None) -> bool:
        if obj is not None and obj.list_id is None:
            return False
        return bool(super().has_delete_permission(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Policy | None = None) -> tuple[str, ...]:
        return ("list", "in_words") if obj else ("in_words",)

    def save_model(self, request: HttpRequest, obj: Policy, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.changed_data:
            values = ", ".join(f"{name} = {form.cleaned_data[name]}" for name in form.changed_data)
            _note(request, obj, "changed", f"{obj}: {values}.")

    def delete_model(self, request: HttpRequest, obj: Policy) -> None:
        with transaction.atomic():
            _note(request, obj, "removed", f"{obj}: the policy of all lists counts again.")
            obj.delete()

    @display(description="For")
    def title(self, row: Policy) -> str:
        return str(row.list) if row.list else "Every list without a policy of its own"

    @display(description="In words")
    def in_words(self, row: Policy) -> SafeString:
        return format_html(
            '<ul class="ml-words">{}</ul>',
            format_html_join("", "<li>{}</li>", ((line,) for line in sentences(row))),
        )


def _note(request: HttpRequest, policy: Policy, after: str, why: str) -> None:
    record(
        Noun.LIST,
        policy.list_id or 0,
        before="bounce policy",
        after=after,
        why=why,
        by=actor(request),
        list_id=policy.list_id,
    )
