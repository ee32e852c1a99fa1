"""Imports in the browser: upload, columns, check, start, progress, refused rows, cancel, undo, and the history of all.

Every act is a POST that calls import_runs.py; a worker does the work.
"""

import csv
import io
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify
from unfold.decorators import display

from mailinglist import access, import_files, import_runs, import_undo, uploads
from mailinglist.admin.import_form import ColumnsForm, ReadAsForm, UploadForm
from mailinglist.csv_rows import BadRow, UnreadableFile, guarded
from mailinglist.models import Import, ImportBadRow
from mailinglist.staff import FirstStep, MachineOwnedAdmin, OwnListsFilter, actor, ask, found, page, require
from mailinglist.templatetags.mailinglist_tags import badge
from mailinglist.whole_numbers import whole_number

MAY_IMPORT = "mailinglist.import_subscriber"
TONES = {
    "mapping": "info",
    "checking": "info",
    "checked": "info",
    "importing": "info",
    "done": "success",
    "cancelled": "default",
    "failed": "danger",
    "undoing": "info",
    "undone": "warning",
}
#: What a report counts, in words.
WORDS = {
    "rows": "rows in the file",
    "new_subscriptions": "new subscriptions",
    "new_subscribers": "of them people whom no list knew",
    "updated": "known people with changed values",
    "already": "on the list already, left as they are",
    "unsubscribed": "unsubscribed in the file, recorded so",
    "kept_unsubscribed": "had left this list, left alone",
    "suppressed": "suppressed, not subscribed",
    "duplicates_in_file": "the same address again",
    "bad_total": "refused, for the reasons below",
}
SHOWN_BAD_ROWS = 20
WATCH_SECONDS = 3


@admin.register(Import)
class ImportAdmin(MachineOwnedAdmin):
    list_display = ("file", "list", "state_badge", "new_people", "who", "created_at")
    list_display_links = None
    list_filter = ("state", ("list", OwnListsFilter))
    list_filter_sheet = False
    list_select_related = ("list", "user")
    empty_text = (
        "Bring people in from a CSV file: say what its columns are, look at what would happen, then start. Every import "
        "is listed here, and can be undone."
    )
    first_step = FirstStep(
        "Choose a list and a file; nothing is imported before you have seen what would happen.",
        "Import a file",
        "mailinglist_import_add",
        "mailinglist.import_subscriber",
    )

    def get_urls(self) -> list[URLPattern]:
        views = {
            "read-as": read_as,
            "start": start,
            "cancel": cancel,
            "undo": undo,
            "refused.csv": refused,
        }
        pages = [
            path(
                f"<int:import_id>/{tail}" + ("" if "." in tail else "/"),
                self.admin_site.admin_view(view),
                name=f"mailinglist_import_{tail.partition('.')[0].replace('-', '_')}",
            )
            for tail, view in views.items()
        ]
        return [*pages, *super().get_urls()]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(MAY_IMPORT))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_view_permission(request, obj) or request.user.has_perm(MAY_IMPORT))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return upload(request)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return show(request, whole_number(object_id) or 0)

    @display(description="File")
    def file(self, row: Import) -> SafeString:
        return format_html('<a class="ml-strong" href="{}">{}</a>', _address(row.pk), row.file_name)

    @display(description="State")
    def state_badge(self, row: Import) -> SafeString:
        return badge(row.get_state_display(), TONES[row.state])

    @display(description="New subscriptions")
    def new_people(self, row: Import) -> str:
        return f"{row.report['new_subscriptions']:,}" if "new_subscriptions" in row.report else "–"

    @display(description="By")
    def who(self, row: Import) -> str:
        return str(row.user or "–")


def upload(request: HttpRequest) -> HttpResponse:
    """The first page: which list, which file."""
    require(request, MAY_IMPORT)
    initial = {"mailing_list": whole_number(request.GET.get("list", "")) or None}
    lists = access.mailing_lists(request.user, MAY_IMPORT)
    form = UploadForm(request.POST or None, request.FILES or None, initial=initial, lists=lists)
    if request.method == "POST" and uploads.too_large(request):
        form = UploadForm(request.POST, lists=lists)
        form.is_valid()
        form.errors["file"] = form.error_class([_too_large()])
    elif request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            row = import_runs.create(
                form.cleaned_data["mailing_list"],
                file.chunks(),
                file_name=file.name,
                encoding=form.cleaned_data["encoding"],
                by=actor(request),
            )
        except UnreadableFile as error:
            form.add_error("file", _in_the_browser(error))
        else:
            return HttpResponseRedirect(_address(row.pk))
    context = {
        "form": form,
        "most": f"{settings.IMPORT_MAX_MB:g}",
        "lists": lists.exists(),
        "back": reverse("admin:mailinglist_import_changelist"),
    }
    return page(request, "admin/mailinglist/import/upload.html", "Import people", context)


def show(request: HttpRequest, import_id: int) -> HttpResponse:
    """An import in whatever state it is. POST: check it with these columns."""
    row = _found(request, import_id)
    may_act = access.may(request.user, MAY_IMPORT, row)
    form = None
    if row.state in (Import.State.MAPPING, Import.State.CHECKED) and may_act:
        sample = import_files.sample(import_files.opened(row.pk), row.encoding)
        form = ColumnsForm(request.POST or None, row=row, sample=sample)
    if request.method == "POST":
        if not may_act:
            raise PermissionDenied
        if form is None:
            messages.error(request, f"This import is {row.get_state_display()} now. Nothing was changed.")
            return HttpResponseRedirect(_address(row.pk))
        if form.is_valid() and _check(request, row, form):
            return HttpResponseRedirect(_address(row.pk))
    context = {
        "row": row,
        "tone": TONES[row.state],
        "may_act": may_act,
        "form": form,
        "mapping": form is not None
        and (row.state == Import.State.MAPPING or "columns" in request.GET or form.is_bound),
        "read_as": ReadAsForm(initial={"encoding": row.encoding}),
        "watching": row.working,
        "watch_seconds": WATCH_SECONDS,
        "progress": _progress(row),
        "numbers": _numbers(row.shown_report, WORDS),
        "undone": _numbers(row.undo_report, import_undo.WORDS),
        "bad_rows": ImportBadRow.objects.filter(owner=row).order_by("line")[:SHOWN_BAD_ROWS],
        "bad_total": row.shown_report.get("bad_total", 0),
        "back": reverse("admin:mailinglist_import_changelist"),
    }
    return page(request, "admin/mailinglist/import/show.html", f"Import of {row.file_name}", context)


def read_as(request: HttpRequest, import_id: int) -> HttpResponse:
    """POST: read the file in another encoding."""
    row = _to_act_on(request, import_id)
    form = ReadAsForm(request.POST)
    if form.is_valid():
        try:
            import_runs.read_as(row.pk, form.cleaned_data["encoding"])
        except (UnreadableFile, import_runs.CannotDo) as error:
            messages.error(request, _in_the_browser(error))
    return HttpResponseRedirect(_address(row.pk))


def start(request: HttpRequest, import_id: int) -> HttpResponse:
    """POST: bring the people in."""
    row = _to_act_on(request, import_id)
    try:
        import_runs.start(row.pk, by=actor(request))
    except import_runs.CannotDo as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(_address(row.pk))


def cancel(request: HttpRequest, import_id: int) -> HttpResponse:
    """Ask, then stop the import."""
    row = _found(request, import_id, MAY_IMPORT)
    if request.method != "POST":
        sentences = ["The file is thrown away and nobody is imported."]
        if row.state == Import.State.IMPORTING:
            sentences = [
                "It stops within seconds. Who was imported until then stays; undo takes them away again."
            ]
        return ask(
            request,
            title=f"Cancel the import of {row.file_name}",
            sentences=sentences,
            button="Cancel the import",
            back=_address(row.pk),
            danger=True,
        )
    try:
        import_runs.cancel(row.pk, by=actor(request))
        messages.success(request, "The import is cancelled.")
    except import_runs.CannotDo as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(_address(row.pk))


def undo(request: HttpRequest, import_id: int) -> HttpResponse:
    """Ask, then take the import back."""
    row = _found(request, import_id, MAY_IMPORT)
    if request.method != "POST":
        made = row.report.get("new_subscriptions", 0)
        return ask(
            request,
            title=f"Undo the import of {row.file_name}",
            sentences=[
                f"It made {made:,} subscriptions to “{row.list}”. They go away, and so do people whom no list knew "
                "before. Values that it changed are as before again.",
                "Left alone is whoever got a mail from this list since, changed or confirmed something, or was "
                "changed by a manager. The report counts them.",
            ],
            button="Undo the import",
            back=_address(row.pk),
            danger=True,
        )
    try:
        import_runs.undo(row.pk, by=actor(request))
    except import_runs.CannotDo as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(_address(row.pk))


def refused(request: HttpRequest, import_id: int) -> HttpResponse | StreamingHttpResponse:
    """All rows that were refused, with line and reason, as a file."""
    row = _found(request, import_id, MAY_IMPORT)
    name = slugify(row.file_name.rpartition(".")[0]) or "import"
    return StreamingHttpResponse(
        _refused_lines(row),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}-refused.csv"'},
    )


def _refused_lines(row: Import) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(BadRow._fields)
    rows = ImportBadRow.objects.filter(owner=row).order_by("line").values_list(*BadRow._fields)
    for bad in rows.iterator(chunk_size=1_000):
        writer.writerow([guarded(str(value)) for value in bad])
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


def _check(request: HttpRequest, row: Import, form: ColumnsForm) -> bool:
    values = form.cleaned_data
    try:
        import_runs.check(
            row.pk,
            form.columns,
            status=values["status"],
            update=values["update"],
            consent_text=values["consent_text"],
        )
    except UnreadableFile as error:
        form.add_error(None, _in_the_browser(error))
    except import_runs.CannotDo as error:
        messages.error(request, str(error))
        return True
    return not form.errors


def _found(request: HttpRequest, import_id: int, permission: str = "") -> Import:
    looking = "mailinglist.view_import"
    permission = permission or (looking if request.user.has_perm(looking) else MAY_IMPORT)
    return found(request, Import.objects.select_related("list", "user"), import_id, permission)


def _to_act_on(request: HttpRequest, import_id: int) -> Import:
    require(request, MAY_IMPORT)
    if request.method != "POST":
        raise Http404
    return _found(request, import_id, MAY_IMPORT)


def _progress(row: Import) -> dict[str, Any]:
    """Where a worker is: reading the file, or going through the people."""
    if row.state == Import.State.UNDOING:
        gone = row.undo_report.get("subscriptions", 0)
        return {"words": f"{gone:,} subscriptions taken away so far.", "percent": None}
    if row.people and row.people_done and row.tries > 0 and row.rows_read < row.check_report.get("rows", 0):
        words = f"Going on after {row.people_done:,} people; the file is read again: {row.rows_read:,} rows."
        return {"words": words, "percent": 100 * row.people_done // row.people}
    if row.people:
        return {
            "words": f"{row.people_done:,} of {row.people:,} people.",
            "percent": 100 * row.people_done // row.people,
        }
    if row.rows_read:
        return {"words": f"{row.rows_read:,} rows read.", "percent": None}
    return {"words": "It begins as soon as a worker is free; one import runs at a time.", "percent": None}


def _numbers(report: dict[str, Any], words: dict[str, str]) -> list[tuple[str, str]]:
    return [(f"{report[name]:,}", text) for name, text in words.items() if report.get(name)]


def _address(import_id: int) -> str:
    return reverse("admin:mailinglist_import_change", args=[import_id])


def _too_large() -> str:
    return (
        f"The file is larger than {settings.IMPORT_MAX_MB:g} MB, the most that is taken here (IMPORT_MAX_MB). "
        "Split it, or use the command import_subscribers on the server."
    )


def _in_the_browser(error: Exception) -> str:
    """The sentence without what only the command has."""
    return (
        str(error)
        .replace("Import it with that encoding (", "Choose that encoding (")
        .partition(" (--encoding")[0]
    )
