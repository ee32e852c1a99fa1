"""Pictures in mails: what is taken, what is left out of them, how they are served, and that no mail loses one."""

import struct
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from mailinglist import images, picture_bytes, pictures
from mailinglist.changes import SYSTEM
from mailinglist.composing import body
from mailinglist.models import Change, MailImage
from tests.factories import make_campaign
from tests.logos import GIF, JPEG, PNG, WEBP_LOSSY, png

PICK, UPLOAD = (reverse(f"admin:mailinglist_mailimage_{name}") for name in ("pick", "upload"))
SECRET = b"48.2082 N 16.3738 E"


def exif(orientation: int) -> bytes:
    tiff = b"II\x2a\x00" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0) + SECRET
    return b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + b"\0\0\0\0"


SPOKEN = [
    JPEG[:2] + exif(1) + b"\xff\xfe" + struct.pack(">H", len(SECRET) + 2) + SECRET + JPEG[2:] + SECRET,
    PNG[:33] + chunk(b"tEXt", SECRET) + chunk(b"eXIf", SECRET) + PNG[33:] + SECRET,
    WEBP_LOSSY + b"EXIF" + struct.pack("<I", len(SECRET) + 1) + SECRET + b"\0",
]


@pytest.mark.parametrize(("data", "clean"), list(zip(SPOKEN, (JPEG, PNG, WEBP_LOSSY), strict=True)))
def test_what_cameras_write_beside_a_picture_is_left_out(data: bytes, clean: bytes) -> None:
    assert picture_bytes.bare(data) == clean
    assert all(picture_bytes.bare(same) == same for same in (JPEG, PNG, WEBP_LOSSY, GIF))


def test_a_photo_stays_the_right_way_up() -> None:
    data = picture_bytes.bare(JPEG[:2] + exif(6) + JPEG[2:])
    assert SECRET not in data and picture_bytes.is_turned(data) and picture_bytes.bare(data) == data
    assert not picture_bytes.is_turned(JPEG[:2] + exif(3) + JPEG[2:])


@pytest.mark.django_db
class TestStored:
    def stored(self, data: bytes = PNG, **values: Any) -> MailImage:
        return images.store(data, **{"name": "bean.png", "alt": "A [bean]", "by": SYSTEM, **values})

    def test_it_is_served_as_what_it_is_for_a_year(self, client: Client) -> None:
        image = self.stored()
        answer = client.get(f"/images/{image.token}.png")
        assert answer.content == PNG and answer["Content-Type"] == "image/png"
        assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'; sandbox" in answer["Content-Security-Policy"]
        assert client.get(f"/images/{image.token}.png", HTTP_IF_NONE_MATCH=answer["ETag"]).status_code == 304
        assert client.get(f"/images/{image.token}.html").status_code == 404
        assert client.get(f"/images/{image.pk}.png").status_code == 404
        assert len(image.token) >= 22

    def test_a_turned_photo_has_the_size_that_is_seen(self) -> None:
        image = self.stored(JPEG[:2] + exif(8) + JPEG[2:])
        assert (image.width, image.height) == (1, 2)

    @pytest.mark.parametrize(
        ("data", "says"),
        [
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no PNG"),
            (b"<html><script>alert(1)</script>", "no PNG"),
            (PNG + b"x" * images.MOST_BYTES, "1000 kB is the most"),
            (png(4001, 1), "4000 a side"),
        ],
    )
    def test_what_is_not_taken(self, data: bytes, says: str) -> None:
        with pytest.raises(pictures.BadPicture, match=says):
            self.stored(data)
        assert not MailImage.objects.exists()

    def test_a_mail_gets_its_size_and_no_wider_than_the_text(self) -> None:
        small, wide = self.stored(), self.stored(png(1072, 200))
        text = f"{images.markdown(small)}\n\n{images.markdown(wide)}\n\n![x](https://acme.example/a.png)"
        written: Any = SimpleNamespace(
            subject="", preheader="", body_format="markdown", body=text, template=None
        )
        html = body.compile(written).html
        assert 'width="32"' in html and 'height="16"' in html and 'alt="A [bean]"' in html
        assert 'width="536"' in html and 'height="100"' in html and html.count(' height="') == 2

    def test_one_that_is_shown_cannot_be_removed(self) -> None:
        image = self.stored()
        campaign = make_campaign(body=images.markdown(image))
        with pytest.raises(images.InUse, match="the campaign “Week 47”"):
            images.remove(image.pk, by=SYSTEM)
        campaign.delete()
        images.remove(image.pk, by=SYSTEM)
        assert list(Change.objects.filter(noun="image").order_by("pk").values_list("after", flat=True)) == [
            "uploaded",
            "removed",
        ]

    def test_the_editor_uploads_and_finds(self, staff: Client) -> None:
        file = SimpleUploadedFile("evil.svg", PNG, content_type="image/svg+xml")
        told = staff.post(UPLOAD, {"file": file, "alt": "A bean"}).json()
        assert told["markdown"] == f"![A bean]({told['address']})" and told["address"].endswith(".png")
        assert staff.get(PICK, {"q": "BEAN"}).json()["pictures"] == [told]
        assert staff.get(PICK, {"q": "slug"}).json()["pictures"] == []
        bad = staff.post(UPLOAD, {"file": SimpleUploadedFile("a.png", b"x"), "alt": ""})
        assert bad.status_code == 400 and "no PNG" in bad.json()["error"]
        assert staff.post(UPLOAD, {}).json()["error"] == "Choose a picture."

    def test_strangers_and_those_who_may_not_get_nothing(
        self, client: Client, django_user_model: Any
    ) -> None:
        client.force_login(django_user_model.objects.create_user("eve", is_staff=True))
        assert client.get(PICK).status_code == client.post(UPLOAD).status_code == 403

    def test_the_page_uploads_describes_and_keeps_what_is_used(self, staff: Client) -> None:
        add = reverse("admin:mailinglist_mailimage_add")
        assert (
            "no PNG"
            in staff.post(add, {"file": SimpleUploadedFile("a.png", b"x"), "alt": ""}).content.decode()
        )
        staff.post(add, {"file": SimpleUploadedFile("bean.png", PNG), "alt": "Bean"})
        image = MailImage.objects.get()
        change, delete = (
            reverse(f"admin:mailinglist_mailimage_{act}", args=[image.pk]) for act in ("change", "delete")
        )
        assert (image.name, image.alt, bytes(image.data)) == ("bean.png", "Bean", PNG)
        staff.post(change, {"name": "b", "alt": "Green bean"})
        page = staff.get(change).content.decode()
        assert f"![Green bean]({images.address(image)})" in page and "no mail yet" in page
        assert "bean" in staff.get(reverse("admin:mailinglist_mailimage_changelist")).content.decode()
        campaign = make_campaign(body=images.address(image))
        assert "has to stay" in staff.post(delete, {"post": "yes"}, follow=True).content.decode()
        campaign.delete()
        staff.post(delete, {"post": "yes"})
        assert not MailImage.objects.exists()
