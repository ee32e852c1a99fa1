"""Pictures of mails: uploaded and looked through, here and from the editor."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget

from mailinglist import access, images, pictures
from mailinglist.models import MailImage
from mailinglist.signs import visible
from mailinglist.staff import CappedPaginator, FirstStep, PlainAdmin, actor, require

#: Pictures that the editor shows at once; a search finds the others.
PICKED = 30


class ImageForm(forms.ModelForm):
    file = forms.FileField(
        label="Picture",
        widget=UnfoldAdminFileFieldWidget(
            attrs={"accept": "image/png,image/jpeg,image/webp,image/gif", "data-shrink": ""}
        ),
        help_text=f"PNG, JPEG, WebP or GIF, up to {images.MOST_BYTES // 1_000_000} MB and {images.MOST_PIXELS} pixels a "
        f"side. Twice as wide as it is shown ({2 * images.SHOWN_WIDTH} pixels) looks sharp everywhere.",
    )

    class Media:
        js = ("mailinglist/pictures.js",)

    def clean_file(self) -> bytes:
        return read(self.cleaned_data["file"])


class DescriptionForm(forms.ModelForm):
    class Meta:
        fields = ("name", "alt")


@admin.register(MailImage)
class MailImageAdmin(PlainAdmin):
    list_display = ("thumbnail", "name", "alt", "dimensions", "created_at")
    list_display_links = ("name",)
    search_fields = ("name", "alt")
    search_help_text = "Part of the name or the description"
    paginator = CappedPaginator
    list_per_page = 20
    readonly_fields = ("shown", "address", "to_insert", "dimensions", "used_in")
    empty_text = (
        "Pictures for mails. Upload one here or from the editor of a campaign; its address is yours to keep."
    )
    first_step = FirstStep(
        "A photo straight from a camera is made smaller first.",
        "Upload a picture",
        "mailinglist_mailimage_add",
        "mailinglist.add_mailimage",
    )

    def get_urls(self) -> list[URLPattern]:
        return [
            path("pick/", self.admin_site.admin_view(pick), name="mailinglist_mailimage_pick"),
            path("upload/", self.admin_site.admin_view(upload), name="mailinglist_mailimage_upload"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[MailImage]:
        found: QuerySet[MailImage] = super().get_queryset(request)
        return found.defer("data")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def get_form(
        self, request: HttpRequest, obj: MailImage | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["form"] = DescriptionForm if obj else ImageForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: MailImage | None = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("file", "alt")}),)
        fields = ("shown", "name", "alt", "to_insert", "address", "dimensions", "used_in")
        return ((None, {"fields": fields}),)

    def save_model(self, request: HttpRequest, obj: MailImage, form: Any, change: bool) -> None:
        """A new picture is stored by images.py; its name and description can be changed later."""
        if change:
            if form.changed_data:
                images.describe(obj, form.changed_data, by=actor(request))
            return
        file, alt = form.cleaned_data["file"], form.cleaned_data["alt"]
        name = visible(getattr(form.files["file"], "name", ""))
        obj.pk = images.store(file, name=name, alt=alt, by=actor(request)).pk
        obj.refresh_from_db()

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        found = self.get_object(request, object_id)
        if found and (where := images.uses(found)):
            messages.error(request, str(images.InUse(f"It is shown in {', '.join(where)}, and has to stay.")))
            return HttpResponseRedirect(reverse("admin:mailinglist_mailimage_change", args=[object_id]))
        response: HttpResponse = super().delete_view(request, object_id, extra_context)
        return response

    def delete_model(self, request: HttpRequest, obj: MailImage) -> None:
        images.remove(obj.pk, by=actor(request))

    @display(description="Picture")
    def thumbnail(self, row: MailImage) -> SafeString:
        return _img(row, "ml-thumbnail")

    @display(description="Picture")
    def shown(self, row: MailImage) -> SafeString:
        return _img(row, "ml-picture")

    @display(description="Size")
    def dimensions(self, row: MailImage) -> str:
        return f"{row.width} × {row.height}, {max(1, row.size // 1000)} kB"

    @display(description="Address")
    def address(self, row: MailImage) -> SafeString:
        return format_html('<code class="ml-code ml-break">{}</code>', images.address(row))

    @display(description="In Markdown")
    def to_insert(self, row: MailImage) -> SafeString:
        return format_html('<code class="ml-code ml-break">{}</code>', images.markdown(row))

    @display(description="Shown in")
    def used_in(self, row: MailImage) -> str:
        return ", ".join(images.uses(row)) or "no mail yet"


@require_safe
def pick(request: HttpRequest) -> HttpResponse:
    """The newest pictures as JSON, for the editor; ``?q=`` searches."""
    require(request, "mailinglist.view_mailimage")
    found = access.visible(MailImage.objects.defer("data"), request.user, "mailinglist.view_mailimage")
    if wanted := request.GET.get("q", "").strip():
        found = found.filter(name__icontains=wanted) | found.filter(alt__icontains=wanted)
    return JsonResponse({"pictures": [_told(row) for row in found.order_by("-pk")[:PICKED]]})


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Take a picture from the editor. 400 with a sentence where it is none that we take."""
    require(request, "mailinglist.add_mailimage")
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        return JsonResponse({"error": "Choose a picture."}, status=400)
    try:
        name, alt = visible(file.name or ""), visible(request.POST.get("alt", ""))
        image = images.store(read(file), name=name, alt=alt, by=actor(request))
    except (pictures.BadPicture, forms.ValidationError) as bad:
        sentence = bad.messages[0] if isinstance(bad, forms.ValidationError) else str(bad)
        return JsonResponse({"error": sentence}, status=400)
    return JsonResponse(_told(image), status=201)


def read(file: UploadedFile) -> bytes:
    """The bytes of an uploaded picture that we take. Raises ValidationError."""
    most = images.MOST_BYTES
    data = file.read(most + 1)
    try:
        if len(data) > most:
            raise pictures.BadPicture(f"The file is larger than {most // 1_000_000} MB. Save it smaller.")
        pictures.read(data, most_bytes=most, most_pixels=images.MOST_PIXELS)
    except pictures.BadPicture as bad:
        raise forms.ValidationError(str(bad)) from bad
    return bytes(data)


def _told(image: MailImage) -> dict[str, Any]:
    return {
        "address": images.address(image),
        "path": _path(image),
        "markdown": images.markdown(image),
        "name": image.name,
        "alt": image.alt,
        "width": image.width,
        "height": image.height,
    }


def _path(image: MailImage) -> str:
    return reverse("image", args=[image.token, images.ENDINGS[image.content_type]])


def _img(row: MailImage, look: str) -> SafeString:
    return format_html(
        '<img class="{}" src="{}" alt="{}" width="{}" height="{}" loading="lazy">',
        look,
        _path(row),
        row.alt or row.name,
        row.width,
        row.height,
    )
