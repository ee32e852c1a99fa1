"""Where the link leads that people cannot see (docs/opens-and-clicks.md). A person may get there all the same."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from mailinglist.views.pages import show


@require_safe
def nothing_here(request: HttpRequest) -> HttpResponse:
    """The same page for everybody; nothing is noted here, because SES reports who followed the link."""
    response = show(request, "nothing_here")
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
