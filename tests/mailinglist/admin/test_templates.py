"""Templates in the admin: written, checked at the field, shown, copied, and not deleted under a draft."""

import pytest
from django.test import Client
from django.urls import reverse

from mailinglist import mail_templates
from mailinglist.models import Change, Template
from tests.factories import make_campaign, make_list

pytestmark = pytest.mark.django_db
ADD = reverse("admin:mailinglist_template_add")


def url(template: Template, act: str = "change") -> str:
    return reverse(f"admin:mailinglist_template_{act}", args=[template.pk])


@pytest.fixture
def letter() -> Template:
    # Tests with transactions of their own leave nothing of what migrations made.
    mail_templates.ship()
    return Template.objects.get(name="Plain letter")


def test_a_template_is_written_and_a_mistake_is_told_at_the_field(staff: Client) -> None:
    values = {
        "name": "Mine",
        "description": "",
        "format": "mjml",
        "source": "<mjml>\n<mj-typo>{{ content }}</mj-typo></mjml>",
    }
    page = staff.post(ADD, values).content.decode()
    assert "Line 2: There is no &lt;mj-typo&gt;." in page and "&lt;mj-typo&gt;{{ content }}" in page
    staff.post(ADD, {**values, "format": "html", "source": "<div>{{ content }}</div>"})
    mine = Template.objects.get(name="Mine")
    assert Change.objects.get(noun="template", object_id=mine.pk).after == "created"


def test_it_is_shown_with_an_example_light_and_dark(staff: Client, letter: Template) -> None:
    page = staff.get(url(letter, "preview"), {"scheme": "dark", "width": "phone"}).content.decode()
    assert page.count("<iframe") == 1 and "scheme=dark" in page and 'sandbox=""' in page
    light, dark = (staff.get(url(letter, "preview_html"), {"scheme": name}) for name in ("light", "dark"))
    assert "@media not all" in light.content.decode() and "@media all" in dark.content.decode()
    assert dark["Content-Security-Policy"].startswith("sandbox;")
    Template.objects.filter(pk=letter.pk).update(source="broken")
    assert "There is none." in staff.get(url(letter, "preview")).content.decode()


def test_a_copy_has_a_name_of_its_own(staff: Client, letter: Template) -> None:
    for _ in range(2):
        staff.post(url(letter, "duplicate"))
    names = Template.objects.filter(source=letter.source).order_by("name").values_list("name", flat=True)
    assert list(names) == ["Plain letter", "Plain letter (copy 2)", "Plain letter (copy)"]


def test_it_stays_while_a_draft_uses_it(staff: Client, letter: Template) -> None:
    campaign = make_campaign(make_list(), template=letter)
    page = staff.post(url(letter, "delete"), {"post": "yes"}, follow=True).content.decode()
    assert "“Week 47” would look different" in page
    campaign.delete()
    staff.post(url(letter, "delete"), {"post": "yes"})
    assert not Template.objects.filter(pk=letter.pk).exists()


def test_a_campaign_chooses_one_and_mjml_takes_none(staff: Client, letter: Template) -> None:
    news = make_list()
    values = {
        "name": "A",
        "lists": [news.pk],
        "subject": "S",
        "preheader": "",
        "body_format": "mjml",
        "template": letter.pk,
        "body": "<mjml><mj-body></mj-body></mjml>",
        "canary_minutes": 0,
    }
    add = reverse("admin:mailinglist_campaign_add")
    assert "MJML is a whole mail." in staff.post(add, values).content.decode()
    staff.post(add, {**values, "body_format": "markdown", "body": "Hello"})
    assert list(letter.campaigns.values_list("name", flat=True)) == ["A"]
