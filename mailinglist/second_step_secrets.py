"""How the secrets of second steps are kept: encrypted under SECRET_KEY, so that a copy of the database opens no account.

Named in settings.MFA_ADAPTER. A new SECRET_KEY with the old one in SECRET_KEY_FALLBACKS still reads them.
"""

import base64
import hashlib
import secrets

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Adapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return _keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _keys().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            # SECRET_KEY was changed without a fallback: no code is right any more, and the command resets it.
            return base64.b32encode(secrets.token_bytes(20)).decode()


def _keys() -> MultiFernet:
    return MultiFernet(
        [Fernet(_key(secret)) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    )


def _key(secret: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"second step:" + secret.encode()).digest())
