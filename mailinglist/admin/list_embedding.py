"""The page of a list that says how to put its sign-up form on other sites, with the form as visitors see it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from mailinglist import embedding, origins
from mailinglist.models import MailingList
from mailinglist.staff import page, require


def show(request: HttpRequest, list_id: int) -> HttpResponse:
    """The snippets to copy, each with its preview, and the sites that are allowed."""
    require(request, "mailinglist.view_mailinglist")
    mailing_list = get_object_or_404(MailingList, pk=list_id)
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
        "may_change": request.user.has_perm("mailinglist.change_mailinglist"),
        "back": change,
        "edit": f"{change}#id_allowed_origins",
    }
    return page(
        request, "admin/mailinglist/mailinglist/embed.html", f"“{mailing_list.name}” on your site", context
    )
