"""Templates that campaigns can choose: written, looked at with an example in them, copied."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.clickjacking import xframe_options_sameorigin
from unfold.decorators import display

from mailinglist import mail_templates
from mailinglist.admin import frames
from mailinglist.admin.campaign_form import ComposeArea
from mailinglist.changes import Noun, record
from mailinglist.composing import body, design, example
from mailinglist.models import Template
from mailinglist.staff import FirstStep, PlainAdmin, actor, ask, found, page


class TemplateForm(forms.ModelForm):
    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("source") and values.get("format"):
            written = Template(format=values["format"], source=values["source"])
            if wrong := design.mistakes(written):
                self.add_error("source", wrong)
        return values


@admin.register(Template)
class TemplateAdmin(PlainAdmin):
    form = TemplateForm
    noun = Noun.TEMPLATE
    list_display = ("name", "description", "format", "used", "look")
    search_fields = ("name",)
    readonly_fields = ("acts",)
    warn_unsaved_form = True
    fieldsets = (
        (None, {"fields": ("name", "description", "acts")}),
        (
            "The page",
            {
                "fields": ("format", "source"),
                "description": "Write {{ content }} where the text of a campaign is to stand; all merge tags "
                "of campaigns work here too. The reason why people get the mail, the link to unsubscribe and the "
                "postal address follow below it by themselves. A change is seen in every campaign that is not sent yet.",
            },
        ),
    )
    empty_text = "A template is the look of a mail, with a place for what a campaign says."
    first_step = FirstStep(
        "Make one of HTML or MJML; a campaign without a template has a plain look of its own.",
        "Make a template",
        "mailinglist_template_add",
        "mailinglist.add_template",
    )

    def get_urls(self) -> list[URLPattern]:
        views = {"preview": show, "preview/html": html_part, "duplicate": duplicate}
        return [
            *(
                path(
                    f"<int:template_id>/{tail}/",
                    self.admin_site.admin_view(view),
                    name=f"mailinglist_template_{tail.replace('/', '_')}",
                )
                for tail, view in views.items()
            ),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        rows: QuerySet[Template] = super().get_queryset(request)
        return rows.annotate(campaign_count=Count("campaigns"))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "source":
            kwargs["widget"] = ComposeArea("id_format")
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Template, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.changed_data:
            record(
                Noun.TEMPLATE,
                obj.pk,
                before="template" if change else "",
                after="changed" if change else "created",
                why=f"Changed: {', '.join(form.changed_data)}." if change else f"“{obj.name}”.",
                by=actor(request),
            )

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        template = self.get_object(request, object_id)
        if template and (names := mail_templates.waiting_for(template)):
            wanted = ", ".join(f"“{name}”" for name in names)
            messages.error(
                request, f"It cannot be deleted: {wanted} would look different. Change that first."
            )
            return HttpResponseRedirect(reverse("admin:mailinglist_template_change", args=[object_id]))
        response: HttpResponse = super().delete_view(request, object_id, extra_context)
        return response

    @display(description="Campaigns", ordering="campaign_count")
    def used(self, row: Any) -> int:
        return int(row.campaign_count)

    @display(description="Look")
    def look(self, row: Template) -> SafeString:
        return format_html(
            '<a href="{}">Preview</a>', reverse("admin:mailinglist_template_preview", args=[row.pk])
        )

    @display(description="Look at it")
    def acts(self, row: Template) -> SafeString | str:
        if not row.pk:
            return "Save it first."
        return format_html(
            '<a class="ml-link" href="{}">Preview with an example</a> · <a class="ml-link" href="{}">Duplicate …</a>',
            reverse("admin:mailinglist_template_preview", args=[row.pk]),
            reverse("admin:mailinglist_template_duplicate", args=[row.pk]),
        )


def show(request: HttpRequest, template_id: int) -> HttpResponse:
    """The template with an example as its content."""
    template = found(request, Template, template_id, "mailinglist.view_template")
    context: dict[str, Any] = {
        "template": template,
        "back": reverse("admin:mailinglist_template_change", args=[template.pk]),
        "problem": "",
    }
    try:
        example.mail(template)
    except body.CannotCompile as bad:
        context["problem"] = str(bad)
    address = reverse("admin:mailinglist_template_preview_html", args=[template.pk])
    context |= frames.choices(request, address, of_frame={}, of_page={})
    return page(request, "admin/mailinglist/template/preview.html", f"Preview of “{template.name}”", context)


@xframe_options_sameorigin
def html_part(request: HttpRequest, template_id: int) -> HttpResponse:
    template = found(request, Template, template_id, "mailinglist.view_template")
    try:
        html = example.mail(template).html
    except body.CannotCompile:
        html = ""
    return frames.sealed(request, html)


def duplicate(request: HttpRequest, template_id: int) -> HttpResponse:
    template = found(request, Template, template_id, "mailinglist.add_template")
    if request.method == "POST":
        copy = mail_templates.duplicate(template.pk, by=actor(request))
        messages.success(request, f"This is “{copy.name}”.")
        return HttpResponseRedirect(reverse("admin:mailinglist_template_change", args=[copy.pk]))
    return ask(
        request,
        title=f"Duplicate “{template.name}”",
        sentences=["Makes a template of its own with the same source, to be changed freely."],
        button="Make a copy",
        back=reverse("admin:mailinglist_template_change", args=[template.pk]),
    )
