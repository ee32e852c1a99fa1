"""manage.py classify_bounces: one answer a line, without a database. (A test here that touches one fails.)"""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

PAYLOADS = Path(__file__).parent.parent / "payloads"
FIELDS = ["file", "recipient", "kind", "verdict", "reason", "status", "diagnostic", "explanation"]


def classify(*arguments: str | Path) -> list[dict[str, Any]]:
    out = StringIO()
    call_command("classify_bounces", *map(str, arguments), "--json", stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_directory_of_everything_gives_at_least_one_object_for_each_file() -> None:
    rows = classify(PAYLOADS / "mails", PAYLOADS / "events")
    assert all(list(row) == FIELDS for row in rows)
    files = {str(file) for folder in ("mails", "events") for file in (PAYLOADS / folder).iterdir()}
    assert {row["file"] for row in rows} == files


def test_a_mail_that_is_no_bounce_gives_one_object_without_a_recipient() -> None:
    (row,) = classify(PAYLOADS / "mails" / "person-about-bounces.eml")
    assert row["recipient"] is None
    assert (row["kind"], row["verdict"]) == ("ordinary", "not-a-bounce")


@pytest.mark.parametrize("kind", ["send", "open", "click", "reject", "subscription"])
def test_what_is_no_bounce_of_ses_is_called_so_with_its_kind(kind: str) -> None:
    (row,) = classify(PAYLOADS / "events" / f"{kind}.json")
    assert (row["kind"], row["verdict"]) == (kind, "not-a-bounce")


def test_an_envelope_and_its_event_are_judged_alike() -> None:
    inside = classify(PAYLOADS / "envelopes" / "notification-bounce-sigv2.json")
    bare = classify(PAYLOADS / "events" / "bounce-permanent-general.json")
    assert [row["verdict"] for row in inside] == [row["verdict"] for row in bare] == ["hard"]


def test_json_lines_are_answered_line_by_line(tmp_path: Path) -> None:
    event = json.dumps(json.loads((PAYLOADS / "events" / "bounce-transient-mailboxfull.json").read_text()))
    lines = tmp_path / "events.jsonl"
    lines.write_text(f'{event}\n{{"eventType": "Nonsense"}}\n{event}\n')
    assert [row["verdict"] for row in classify(lines)] == ["soft", "unknown", "soft"]


def test_a_maildir_is_read_without_its_unfinished_mails(tmp_path: Path) -> None:
    for folder in ("cur", "new", "tmp"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.host").write_bytes((PAYLOADS / "mails" / "qmail.eml").read_bytes())
    rows = classify(tmp_path)
    assert {Path(row["file"]).parent.name for row in rows} == {"cur", "new"}


def test_an_mbox_is_read_mail_by_mail(tmp_path: Path) -> None:
    separator = b"From MAILER-DAEMON Fri Nov 20 09:00:05 2026\n"
    mails = [(PAYLOADS / "mails" / f"{name}.eml").read_bytes() for name in ("notes", "out-of-office", "exim")]
    box = tmp_path / "bounces"
    box.write_bytes(b"\n".join(separator + mail for mail in mails))
    assert [row["verdict"] for row in classify(box)] == ["hard", "auto-reply", "hard"]


def test_a_missing_domain_is_hard_in_a_mail_alone_and_soft_at_first_in_an_event(tmp_path: Path) -> None:
    (mail,) = classify(PAYLOADS / "mails" / "dsn-no-domain.eml")
    event = json.loads((PAYLOADS / "events" / "bounce-permanent-general.json").read_text())
    event["bounce"]["bouncedRecipients"][0] |= {
        "status": "5.4.4",
        "diagnosticCode": "smtp; 550 5.4.4 Invalid domain",
    }
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event))
    (first,) = classify(file)
    assert (mail["verdict"], mail["reason"]) == ("hard", "domain-not-found")
    assert (first["verdict"], first["reason"]) == ("soft", "domain-not-found")


def test_a_table_of_diagnostics_is_judged_row_by_row(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text(
        "\ufeffprovider,code,enhanced,text,more\n"
        "google,550,5.1.1,The email account that you tried to reach does not exist,x\n"
        'other,552,5.2.2,"Mailbox full,\nsorry",x\n'
        "other,550,,,x\n"
    )
    rows = classify("--diagnostics", table)
    assert [row["verdict"] for row in rows] == ["hard", "soft", "unknown"]
    assert all(list(row) == FIELDS for row in rows)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["{tmp}/missing.eml"], 2, "missing.eml"),
        (["--diagnostics", "{tmp}/missing.csv"], 2, "missing.csv"),
        (["--diagnostics", "{tmp}/other.csv"], 2, "text"),
        ([], 2, "not both"),
        (["{tmp}/empty"], 1, "nothing to read"),
    ],
    ids=["no file", "no table", "no column", "no argument", "nothing"],
)
def test_what_cannot_be_done_is_told_with_its_status(
    tmp_path: Path, arguments: list[str], status: int, words: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(CommandError, match=words) as error:
        classify(*(argument.format(tmp=tmp_path) for argument in arguments))
    assert error.value.returncode == status


def test_people_get_a_sentence_for_each_recipient() -> None:
    out = StringIO()
    call_command("classify_bounces", str(PAYLOADS / "mails" / "qmail.eml"), stdout=out)
    assert "ada@post.example  hard (user-unknown): The address does not exist" in out.getvalue()
    assert "bob@post.example  soft (mailbox-full): The mailbox is full." in out.getvalue()
