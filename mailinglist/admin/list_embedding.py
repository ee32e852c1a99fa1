"""The page of a list that says how to put its sign-up form on other sites, with the form as visitors see it."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from mailinglist import access, embedding, origins
from mailinglist.models import MailingList
from mailinglist.staff import found, page


def show(request: HttpRequest, list_id: int) -> HttpResponse:
    """The snippets to copy, each with its preview, and the sites that are allowed."""
    mailing_list = found(request, MailingList, list_id, "mailinglist.view_mailinglist")
    change = reverse("admin:mailinglist_mailinglist_change", args=[mailing_list.pk])
    context = {
        "list": mailing_list,
        "ways": [
            {
                "way": way,
                "snippet": embedding.snippet(mailing_list, way),
                "preview": reverse("embed-preview", args=[mailing_list.slug, way.name]),
            }
            for way in embedding.WAYS
        ],
        "origins": sorted(origins.allowed(mailing_list.allowed_origins)),
        "own_origin": embedding.own_origin(),
        "may_change": access.may(request.user, "mailinglist.change_mailinglist", mailing_list),
        "back": change,
        "edit": f"{change}#id_allowed_origins",
    }
    return page(
        request, "admin/mailinglist/mailinglist/embed.html", f"“{mailing_list.name}” on your site", context
    )
