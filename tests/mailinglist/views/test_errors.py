"""Error pages: ours, in words, and the one for our own faults needs nothing that could be broken."""

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.test import RequestFactory, override_settings
from django.views import defaults

BROKEN_STATIC_FILES = {
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}


def test_the_page_for_our_own_faults_needs_no_static_files_and_no_database(rf: RequestFactory) -> None:
    with override_settings(STORAGES=BROKEN_STATIC_FILES, STATIC_ROOT="/nonexistent"):
        answer = defaults.server_error(rf.get("/"))
    assert answer.status_code == 500
    assert "It is our fault, not yours" in answer.content.decode()


@pytest.mark.parametrize(
    ("view", "error", "status", "words"),
    [
        (defaults.page_not_found, Http404("secret"), 404, "This page does not exist"),
        (defaults.permission_denied, PermissionDenied("secret"), 403, "You may not see this page"),
        (defaults.bad_request, SuspiciousOperation("secret"), 400, "This request could not be read"),
    ],
)
def test_other_errors_say_what_to_do_and_no_internals(
    rf: RequestFactory, view: object, error: Exception, status: int, words: str
) -> None:
    answer = view(rf.get("/"), error)  # type: ignore[operator]
    page = answer.content.decode()
    assert answer.status_code == status
    assert words in page
    assert "secret" not in page
