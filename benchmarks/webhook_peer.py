"""django-ses's own webhook view in the smallest Django project there is, for ``benchmarks.webhook``.

Served by granian exactly as ours. The view verifies the signature and sends a signal; it stores nothing. The
certificate that it would fetch by HTTPS is put into its cache beforehand.
"""

import os
from pathlib import Path

from django.conf import settings

if not settings.configured:
    settings.configure(
        SECRET_KEY="benchmark-only",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
        USE_TZ=True,
        LOGGING_CONFIG=None,
        AWS_SES_VERIFY_EVENT_SIGNATURES=True,
        AWS_SNS_EVENT_CERT_TRUSTED_DOMAINS=["sns.us-east-1.amazonaws.com"],
        AWS_SNS_EVENT_TRUSTED_TOPIC_ARNS=[os.environ["PEER_TOPIC"]],
    )

from cryptography import x509
from django.core.wsgi import get_wsgi_application
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

application = get_wsgi_application()

from django_ses import utils  # noqa: E402
from django_ses.views import SESEventWebhookView  # noqa: E402

utils._CERT_CACHE[os.environ["PEER_CERT_URL"]] = x509.load_pem_x509_certificate(
    Path(os.environ["PEER_CERT"]).read_bytes()
)
urlpatterns = [path("hooks/ses/", csrf_exempt(SESEventWebhookView.as_view()))]
