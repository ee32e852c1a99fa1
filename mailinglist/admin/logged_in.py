"""Whether somebody is still logged in: asked by session.js before text would be lost, and read by who logged in again.

URL name: ``admin:logged_in``. Wired in by admin/managers.py.
"""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token

from mailinglist.staff import page


def logged_in(request: HttpRequest) -> HttpResponse:
    """For the script the token that forms need since the last login; for a person the way back. Guests never get here:
    the admin asks them to log in.
    """
    if request.accepts("text/html"):
        return page(request, "admin/mailinglist/logged_in.html", "You are logged in", {})
    return JsonResponse({"token": get_token(request)})
