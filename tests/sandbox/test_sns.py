"""The SNS side: signatures checked by others' code, and the handshake before anything is pushed."""

import base64
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.testing import TOPIC_ARN, RunningSandbox, sandbox
from tests.sandbox.aws import client, send
from tests.sandbox.conftest import QUICK
from tests.sandbox.hook import Hook, Received, listening

# Written anew from the SNS developer guide, not shared with the signer.
NOTIFICATION = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
CONFIRMATION = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]


def signed_text(envelope: dict[str, Any]) -> bytes:
    names = NOTIFICATION if envelope["Type"] == "Notification" else CONFIRMATION
    return "".join(f"{name}\n{envelope[name]}\n" for name in names if name in envelope).encode()


def certificate(envelope: dict[str, Any]) -> x509.Certificate:
    with urllib.request.urlopen(envelope["SigningCertURL"]) as answer:
        return x509.load_pem_x509_certificate(answer.read())


def verify(envelope: dict[str, Any], ca_pem: Path) -> None:
    cert = certificate(envelope)
    cert.verify_directly_issued_by(x509.load_pem_x509_certificate(ca_pem.read_bytes()))
    key = cert.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    algorithm = {"1": hashes.SHA1(), "2": hashes.SHA256()}[envelope["SignatureVersion"]]
    key.verify(base64.b64decode(envelope["Signature"]), signed_text(envelope), padding.PKCS1v15(), algorithm)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("with_subject", [True, False])
def test_signatures_verify(
    ses: RunningSandbox, sesv2: Any, hook: Hook, version: str, with_subject: bool
) -> None:
    ses.config(signature_version=version, with_subject=with_subject)
    send(sesv2, "ada@example.com", subject="=?utf-8?q?Gr=C3=BC=C3=9Fe_=F0=9F=8C=B1?=")
    ses.wait_for_pushes()
    assert len(hook.received) == 2
    for one in hook.received:
        assert one.envelope["SignatureVersion"] == version and ("Subject" in one.envelope) is with_subject
        verify(one.envelope, ses.ca_pem)


@pytest.mark.openssl
@pytest.mark.parametrize(("version", "digest"), [("1", "-sha1"), ("2", "-sha256")])
def test_openssl_agrees(
    ses: RunningSandbox, sesv2: Any, hook: Hook, tmp_path: Path, version: str, digest: str
) -> None:
    openssl = shutil.which("openssl")
    assert openssl
    ses.config(signature_version=version)
    send(sesv2, "hard@example.com")
    ses.wait_for_pushes()
    envelope = hook.received[0].envelope
    (tmp_path / "text").write_bytes(signed_text(envelope))
    (tmp_path / "signature").write_bytes(base64.b64decode(envelope["Signature"]))
    with urllib.request.urlopen(envelope["SigningCertURL"]) as answer:
        (tmp_path / "cert.pem").write_bytes(answer.read())

    def run(*arguments: str) -> str:
        done = subprocess.run([openssl, *arguments], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "OK" in run("verify", "-CAfile", str(ses.ca_pem), "cert.pem")
    (tmp_path / "key.pem").write_text(run("x509", "-in", "cert.pem", "-pubkey", "-noout"))
    assert "Verified OK" in run("dgst", digest, "-verify", "key.pem", "-signature", "signature", "text")


def test_a_message_has_the_headers_of_sns(ses: RunningSandbox, sesv2: Any, hook: Hook) -> None:
    send(sesv2, "ada@example.com")
    ses.wait_for_pushes()
    headers, envelope, _ = hook.received[0]
    assert headers["x-amz-sns-message-type"] == envelope["Type"] == "Notification"
    assert headers["x-amz-sns-message-id"] == envelope["MessageId"]
    assert headers["x-amz-sns-topic-arn"] == envelope["TopicArn"] == TOPIC_ARN
    assert headers["x-amz-sns-subscription-arn"].startswith(TOPIC_ARN + ":")
    assert headers["content-type"] == "text/plain; charset=UTF-8"


def confirmations(hook: Hook) -> list[Received]:
    return [one for one in hook.received if one.envelope["Type"] == "SubscriptionConfirmation"]


@pytest.mark.parametrize("by_address", [False, True], ids=["by the API", "by the SubscribeURL"])
def test_nothing_is_pushed_before_the_confirmation(by_address: bool) -> None:
    with listening() as hook, sandbox(hook=hook.url, config=QUICK, confirmed=False) as ses:
        sesv2, sns = client(ses), client(ses, "sns")
        send(sesv2, "ada@example.com")
        hook.wait_for(lambda hook: bool(confirmations(hook)))
        envelope = confirmations(hook)[0].envelope
        verify(envelope, ses.ca_pem)
        assert hook.events() == []
        for topic, token, code in (
            (TOPIC_ARN, "wrong", "InvalidParameter"),
            (TOPIC_ARN + "x", envelope["Token"], "NotFound"),
        ):
            with pytest.raises(ClientError) as caught:
                sns.confirm_subscription(TopicArn=topic, Token=token)
            assert caught.value.response["Error"]["Code"].startswith(code)
        assert not ses.pushes()["confirmed"] and hook.events() == []
        if by_address:
            with urllib.request.urlopen(envelope["SubscribeURL"]) as answer:
                assert TOPIC_ARN in answer.read().decode()
        else:
            confirmed = sns.confirm_subscription(
                TopicArn=TOPIC_ARN, Token=envelope["Token"], AuthenticateOnUnsubscribe="true"
            )
            assert confirmed["SubscriptionArn"].startswith(TOPIC_ARN + ":")
        ses.wait_until_confirmed()
        ses.wait_for_pushes()
        hook.wait_for(
            lambda hook: any("Successfully validated" in one.envelope["Message"] for one in hook.received)
        )
        assert sorted(event["eventType"] for event in hook.events()) == ["Delivery", "Send"]


def test_the_confirmation_is_repeated_while_the_hook_fails() -> None:
    with listening() as hook:
        hook.answer = lambda envelope: 503
        with sandbox(hook=hook.url, config=QUICK, confirmed=False):
            hook.wait_for(lambda hook: len(confirmations(hook)) >= 3)


def test_other_actions_of_sns_are_refused(ses: RunningSandbox) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{ses.url}/?Action=Unsubscribe&SubscriptionArn=x")
    assert caught.value.code == 400 and b"InvalidAction" in caught.value.read()
