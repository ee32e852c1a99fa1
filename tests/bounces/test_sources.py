"""What is taken from files: one document or many, with or without what SNS and SQS put around it."""

import io
import json
import sys
from pathlib import Path

import pytest

from bounces import events, sources
from tests.bounces.sns_signing import PAYLOADS, payload


def read(*paths: Path) -> list[sources.Document]:
    return list(sources.documents([str(path) for path in paths]))


def test_a_folder_is_read_file_by_file_in_order() -> None:
    found = read(PAYLOADS / "events")
    files = sorted((PAYLOADS / "events").glob("*.json"))
    assert [document.name for document in found] == [str(file) for file in files]
    assert [document.raw for document in found] == [file.read_bytes() for file in files]


def test_an_envelope_of_sns_is_taken_off_and_its_id_and_topic_kept() -> None:
    (found,) = read(PAYLOADS / "envelopes" / "notification-bounce-sigv2.json")
    written = json.loads(payload("envelopes/notification-bounce-sigv2.json"))
    assert found.raw == written["Message"].encode()
    assert (found.sns_message_id, found.topic_arn) == (written["MessageId"], written["TopicArn"])


@pytest.mark.parametrize(
    ("name", "sns_id"),
    [
        ("bounce-raw-message-delivery.json", ""),
        ("bounce-sns-envelope.json", "00000000-0000-0000-0000-000000000008"),
    ],
)
def test_a_message_of_sqs_is_opened_with_and_without_an_envelope_in_it(name: str, sns_id: str) -> None:
    (found,) = read(PAYLOADS / "raw_sqs" / name)
    (fact,) = events.parse(found.raw).events
    assert (found.sns_message_id, fact.kind, fact.subtype) == (sns_id, "bounce", "General")


def test_lines_of_json_are_one_document_each_and_a_bad_line_is_one_too(tmp_path: Path) -> None:
    lines = [json.dumps(json.loads(payload(f"events/{name}.json"))) for name in ("send", "open")]
    file = tmp_path / "exported.jsonl"
    file.write_text(f"{lines[0]}\n\n{{broken\n{lines[1]}")
    found = read(file)
    assert [document.name for document in found] == [str(file), f"{file}:3", f"{file}:4"]
    assert [document.raw for document in found] == [lines[0].encode(), b"{broken", lines[1].encode()]


@pytest.mark.parametrize("content", [b"Not JSON at all.\nNor this.\n", b"\xff\x00\xfe", b"[" * 100_000])
def test_what_cannot_be_read_is_passed_on_whole(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "odd"
    file.write_bytes(content)
    (found,) = read(file)
    assert found.raw == content


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b" \n")
    assert read(tmp_path) == []


def test_standard_input_is_read_for_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(payload("events/send.json")))
    monkeypatch.setattr(sys, "stdin", stream)
    (found,) = sources.documents(["-"])
    assert (found.name, found.raw) == ("-", payload("events/send.json"))


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(sources.UnreadableSource, match="nowhere: there is no such file"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize("folder", ["moto-observed", "localstack-observed"])
def test_what_other_programs_send_gives_documents_and_no_exception(folder: str) -> None:
    found = read(PAYLOADS / folder)
    assert len(found) == len(list((PAYLOADS / folder).glob("*.json")))
    for document in found:
        events.parse(document.raw)


MAIL = (
    b"Received: from mx.example.net\nFrom: MAILER-DAEMON@mx.example.net\nSubject: failure notice\n\nSorry.\n"
)


def test_mails_are_known_by_their_name_their_place_or_their_first_lines(tmp_path: Path) -> None:
    for folder in ("cur", "new", "tmp"):
        (tmp_path / "box" / folder).mkdir(parents=True)
    (tmp_path / "box" / "cur" / "1:2,S").write_bytes(b"no header at all")
    (tmp_path / "box" / "new" / "2").write_bytes(MAIL)
    (tmp_path / "box" / "tmp" / "3").write_bytes(b"still being writ")
    (tmp_path / "a.eml").write_bytes(b"no header at all")
    (tmp_path / "b.txt").write_bytes(b"\xef\xbb\xbf" + MAIL)
    (tmp_path / "c.txt").write_bytes(b"From MAILER-DAEMON\r\n" + MAIL.replace(b"\n", b"\r\n"))
    (tmp_path / "d.txt").write_bytes(b"Note: this is a text about mails.\nIt has no header.\n")
    (tmp_path / "e.json").write_bytes(b'{"From": "x"}')
    found = {Path(document.name).name: document.is_mail for document in read(tmp_path)}
    assert found == {
        "1:2,S": True, "2": True, "a.eml": True, "b.txt": True, "c.txt": True, "d.txt": False, "e.json": False,
    }  # fmt: skip


def test_each_mail_of_an_mbox_is_one_and_standard_input_is_one_mail_whatever_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = b"From MAILER-DAEMON Fri Nov 20 09:00:05 2026\n"
    both = line + MAIL + b"\n" + line + MAIL
    (tmp_path / "mbox").write_bytes(both)
    assert [document.is_mail for document in read(tmp_path)] == [True, True]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(both)))
    (found,) = sources.documents(["-"])
    assert (found.raw, found.is_mail) == (both, True)


def test_half_a_character_in_a_message_of_a_queue_is_no_fault_of_ours() -> None:
    inside = json.dumps({"eventType": "Bounce", "x": "\ud800"}, ensure_ascii=False)
    raw = json.dumps({"Body": inside, "ReceiptHandle": "x"}).encode()
    assert json.loads(sources.unwrap("m.json", raw).raw) == {"eventType": "Bounce", "x": "?"}
