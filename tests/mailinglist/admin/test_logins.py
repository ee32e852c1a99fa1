"""Logging in: the lock after wrong passwords, what is written down, the second step and how it is got back."""

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from axes.models import AccessAttempt, AccessFailureLog
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from mailinglist import second_step
from mailinglist.changes import SYSTEM
from mailinglist.models import Change, Membership

pytestmark = pytest.mark.django_db
LOGIN = "/admin/login/"
CODE = "/admin/auth/user/second-step/code/"
OWN = "/admin/auth/user/second-step/"


@pytest.fixture
def anna() -> User:
    return User.objects.create_superuser("anna", "anna@acme.example", "secret-secret")


def log_in(client: Client, password: str, name: str = "anna", **extra: Any) -> Any:
    return client.post(LOGIN, {"username": name, "password": password, "next": "/admin/"}, **extra)


def told() -> list[tuple[str, str]]:
    return list(Change.objects.filter(noun="manager").order_by("pk").values_list("after", "why"))


def present_code(secret: str, ahead: int = 0) -> str:
    counter = list(totp.yield_hotp_counters_from_time())[1] + ahead
    return str(totp.format_hotp_value(totp.hotp_value(secret, counter)))


def switch_on(user: User) -> tuple[str, list[str]]:
    """Its secret and recovery codes."""
    secret = second_step.new_secret()
    codes = second_step.switch_on(user, secret, present_code(secret, -1), by=SYSTEM)
    assert codes
    return secret, codes


def test_after_five_wrong_passwords_the_right_one_waits_too(client: Client, anna: User) -> None:
    answers = [log_in(client, "wrong-wrong") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429, 429, 429]
    locked = log_in(client, "secret-secret")
    assert locked.status_code == 429
    assert "for 15 minutes" in locked.content.decode()
    assert "mailinglist/admin.css" in locked.content.decode()
    assert 0 < int(locked["Retry-After"]) <= 900
    assert "_auth_user_id" not in client.session
    assert told() == [("login refused", "A wrong password (anna).")] * 5
    assert "wrong-wrong" not in str(list(AccessAttempt.objects.values()))
    # From elsewhere she gets in at once.
    assert log_in(Client(), "secret-secret", REMOTE_ADDR="198.51.100.7").status_code == 302


def test_a_lock_ends_by_itself_and_no_try_prolongs_it(client: Client, anna: User) -> None:
    for _ in range(5):
        log_in(client, "wrong-wrong")
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    log_in(client, "wrong-wrong")
    assert "for 1 minute;" in log_in(client, "wrong-wrong").content.decode()
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert log_in(client, "secret-secret").status_code == 302


def try_in_vain(name: str, ip: str) -> None:
    """As the page of the login does it, without drawing the page."""
    request = RequestFactory().post(LOGIN, {"username": name}, REMOTE_ADDR=ip)
    assert authenticate(request, username=name, password="wrong-wrong") is None


def evaluated() -> int:
    return Change.objects.filter(after="login refused").count()


def test_hundreds_of_tries_for_one_name_from_everywhere_are_hardly_heard(client: Client, anna: User) -> None:
    log_in(client, "secret-secret", REMOTE_ADDR="192.0.2.1")
    for number in range(200):
        try_in_vain("anna", f"198.51.{number}.1")
    assert evaluated() == 20
    locked = log_in(Client(), "secret-secret", REMOTE_ADDR="203.0.113.9")
    assert locked.status_code == 429 and 3000 < int(locked["Retry-After"]) <= 3600
    # In her own network she gets in, whatever strangers do elsewhere; and the lock ends by itself.
    assert log_in(Client(), "secret-secret", REMOTE_ADDR="192.0.2.77").status_code == 302
    AccessFailureLog.objects.update(attempt_time=timezone.now() - timedelta(minutes=61))
    assert log_in(Client(), "secret-secret", REMOTE_ADDR="203.0.113.9").status_code == 302


def test_many_names_from_one_address_are_hardly_heard(client: Client, anna: User) -> None:
    log_in(client, "secret-secret", REMOTE_ADDR="198.51.100.7")
    for number in range(100):
        try_in_vain(f"name{number}", "198.51.100.7")
    assert evaluated() == 20
    assert log_in(Client(), "secret-secret", REMOTE_ADDR="198.51.100.7").status_code == 302
    bert = User.objects.create_superuser("bert", "b@acme.example", "secret-secret")
    assert log_in(Client(), "secret-secret", name="bert", REMOTE_ADDR="198.51.100.7").status_code == 429
    assert log_in(Client(), "secret-secret", name="bert", REMOTE_ADDR="198.51.100.8").status_code == 302
    assert bert.is_active


@pytest.mark.parametrize("name", ["x" * 256, "x" * 5000, "\ufdfa" * 150, "\u202e\U0010ffff" * 200])
def test_a_name_longer_than_any_column_counts_as_any_other(client: Client, anna: User, name: str) -> None:
    # NFKC makes eighteen letters out of one U+FDFA.
    extra = {"HTTP_USER_AGENT": "u" * 3000, "HTTP_ACCEPT": "a" * 3000, "REMOTE_ADDR": "fe80::1%eth0"}
    answers = [log_in(client, "wrong-wrong", name, **extra) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429, 429]
    assert "Please enter the correct username and password" in answers[0].content.decode()
    assert told() == [("login refused", "A name that nobody has.")] * 5
    counted = {(len(row.username), row.ip_address) for row in AccessFailureLog.objects.all()}
    assert counted == {(255, "fe80::1")}


def test_a_name_with_a_nul_is_refused_before_any_password_is_looked_at(client: Client, anna: User) -> None:
    answer = log_in(client, "secret-secret", "anna\x00")
    assert answer.status_code == 200
    assert "Null characters are not allowed" in answer.content.decode()
    assert not AccessFailureLog.objects.exists()


def test_whoever_has_a_network_of_ipv6_has_one_address(client: Client, anna: User) -> None:
    for number in range(30):
        try_in_vain(f"name{number}", f"2001:db8:1:2::{number + 1:x}")
    assert evaluated() == 20
    assert log_in(Client(), "secret-secret", REMOTE_ADDR="2001:db8:1:3::1").status_code == 302


def test_who_knows_the_password_guesses_no_code_from_many_addresses(client: Client, anna: User) -> None:
    switch_on(anna)
    for number in range(25):
        thief = Client(REMOTE_ADDR=f"198.51.{number}.1")
        assert log_in(thief, "secret-secret").status_code == 302
        thief.post(CODE, {"code": "000000"})
    assert Change.objects.filter(after="wrong code").count() == 20
    call_command("unlock_login", "anna", stdout=StringIO())
    assert not AccessFailureLog.objects.exists()


def test_behind_a_proxy_each_visitor_has_a_lock_of_their_own(
    client: Client, anna: User, settings: Any
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    for number in range(5):
        # What a visitor claims before the proxy's own entry buys no new tries.
        log_in(client, "wrong-wrong", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}, 203.0.113.9")
    assert log_in(client, "secret-secret", HTTP_X_FORWARDED_FOR="203.0.113.9").status_code == 429
    assert log_in(client, "secret-secret", HTTP_X_FORWARDED_FOR="203.0.113.8").status_code == 302
    assert Change.objects.get(after="logged in").evidence == {"ip": "203.0.113.8"}


def test_a_name_that_nobody_has_is_not_written_down(client: Client, anna: User) -> None:
    log_in(client, "x", name="my-secret-password")
    assert told() == [("login refused", "A name that nobody has.")]
    assert "my-secret-password" not in str(list(Change.objects.values()))


def test_unlocking_on_the_page_and_by_command(client: Client, anna: User) -> None:
    for _ in range(5):
        log_in(client, "wrong-wrong")
    out = StringIO()
    call_command("unlock_login", "anna", stdout=out)
    assert out.getvalue() == "anna is unlocked.\n"
    assert log_in(client, "secret-secret").status_code == 302
    for _ in range(5):
        log_in(Client(), "wrong-wrong")
    page = reverse("admin:auth_user_unlock", args=[anna.pk])
    assert client.get(page).status_code == 200
    assert AccessAttempt.objects.exists()
    client.post(page)
    assert not AccessAttempt.objects.exists()
    assert ("unlocked", "Unlocked anna.") in told()


def test_setting_up_then_logging_in_by_password_and_code(client: Client, anna: User) -> None:
    client.force_login(anna)
    page = client.get(OWN).content.decode()
    assert "<svg" in page
    secret = client.session["second_step_secret"]
    assert "This is not the code" in client.post(OWN, {"code": "000000"}).content.decode()
    assert not second_step.is_on(anna)
    codes = re.findall(
        r"<li><code>(\d{10})</code>", client.post(OWN, {"code": present_code(secret, -1)}).content.decode()
    )
    assert len(codes) == 10
    assert secret not in str(Authenticator.objects.values())
    assert client.get("/admin/").status_code == 200

    other = Client()
    log_in(other, "secret-secret")
    for address in ("/admin/", OWN, reverse("admin:mailinglist_campaign_add"), "/admin/password_change/"):
        assert other.get(address)["Location"].startswith(CODE), address
        assert other.post(address)["Location"].startswith(CODE), address
    key = other.session.session_key
    assert other.post(CODE, {"code": "000000"}).status_code == 200
    done = other.post(CODE, {"code": present_code(secret), "next": "/admin/mailinglist/campaign/"})
    assert done["Location"] == "/admin/mailinglist/campaign/"
    assert other.get("/admin/").status_code == 200
    assert other.session.session_key != key
    assert [after for after, _ in told()][-3:] == ["logged in", "wrong code", "second step"]


def test_sessions_of_the_password_alone_end_when_the_second_step_is_on(client: Client, anna: User) -> None:
    thief, bert, home = Client(), Client(), reverse("admin:index")
    bert.force_login(User.objects.create_superuser("bert"))
    for one in (thief, client):
        log_in(one, "secret-secret")
        assert one.get(home).status_code == 200
    secret = client.get(OWN).context["secret"].replace(" ", "")
    client.post(OWN, {"code": present_code(secret)})
    assert second_step.is_on(anna)
    assert [one.get(home).status_code for one in (client, bert, thief)] == [200, 200, 302]


def test_a_new_password_ends_the_other_sessions_and_is_written_down(client: Client, anna: User) -> None:
    thief, home = Client(), reverse("admin:index")
    for one in (thief, client):
        log_in(one, "secret-secret")
    form = {
        "old_password": "secret-secret",
        "new_password1": "other-secret-9",
        "new_password2": "other-secret-9",
    }
    assert client.post(reverse("admin:password_change"), form).status_code == 302
    assert [one.get(home).status_code for one in (client, thief)] == [200, 302]
    assert told()[-1][0] == "password changed"
    # Also where an owner sets it.
    page = reverse("admin:auth_user_password_change", args=[anna.pk])
    bert = Client()
    bert.force_login(User.objects.create_superuser("bert"))
    bert.post(page, {"password1": "third-secret-9", "password2": "third-secret-9", "usable_password": "true"})
    assert client.get(home).status_code == 302


def change_password(client: Client, old: str, new: str = "other-secret-9") -> Any:
    form = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post(reverse("admin:password_change"), form)


def test_wrong_old_passwords_lock_as_those_of_the_login_do(client: Client, anna: User) -> None:
    log_in(client, "secret-secret")
    answers = [change_password(client, "wrong-wrong").status_code for _ in range(7)]
    assert answers == [200, 200, 200, 200, 429, 429, 429]
    locked = change_password(client, "secret-secret")
    assert locked.status_code == 429 and 0 < int(locked["Retry-After"]) <= 900
    assert told()[1:] == [("wrong password", "A wrong old password, for a new one.")] * 5
    kept = str(list(AccessAttempt.objects.values()))
    assert "wrong-wrong" not in kept and "other-secret-9" not in kept
    assert client.get(reverse("admin:index")).status_code == 200
    # It is one lock: the login takes nothing more either, and one link undoes both.
    assert log_in(Client(), "secret-secret").status_code == 429
    call_command("unlock_login", "anna", stdout=StringIO())
    assert change_password(client, "secret-secret").status_code == 302


def test_guesses_of_the_old_password_from_everywhere_end_within_the_hour(client: Client, anna: User) -> None:
    client.force_login(anna)
    for number in range(22):
        client.post(reverse("admin:password_change"), {"old_password": "x"}, REMOTE_ADDR=f"198.51.{number}.1")
    assert Change.objects.filter(after="wrong password").count() == 20


def test_what_is_no_guess_of_the_old_password_does_not_count(client: Client, anna: User) -> None:
    log_in(client, "secret-secret")
    change_password(client, "wrong-wrong")
    for _ in range(6):
        assert change_password(client, "").status_code == 200
        assert change_password(client, "secret-secret", new="short").status_code == 200
    assert AccessAttempt.objects.get().failures_since_start == 1
    assert change_password(client, "secret-secret").status_code == 302
    assert not AccessAttempt.objects.exists()


def test_a_code_counts_once_and_so_does_each_recovery_code(anna: User) -> None:
    secret, codes = switch_on(anna)
    code = present_code(secret)
    assert [second_step.check(anna, code) for _ in range(2)] == [True, False]
    assert [second_step.check(anna, codes[3]) for _ in range(2)] == [True, False]
    assert second_step.codes_left(anna) == 9
    fresh = second_step.new_codes(anna, by=SYSTEM)
    assert not second_step.check(anna, codes[4])
    assert second_step.check(anna, fresh[0])


def test_wrong_codes_lock_and_a_right_password_does_not_set_them_back(client: Client, anna: User) -> None:
    secret, _ = switch_on(anna)
    for _ in range(5):
        log_in(client, "secret-secret")
        client.post(CODE, {"code": "000000"})
    log_in(client, "secret-secret")
    assert client.post(CODE, {"code": present_code(secret)}).status_code == 429
    call_command("unlock_login", "anna", stdout=StringIO())
    assert client.post(CODE, {"code": present_code(secret)}).status_code == 302


def test_the_way_back_leads_to_no_other_site(client: Client, anna: User) -> None:
    secret, _ = switch_on(anna)
    log_in(client, "secret-secret")
    done = client.post(CODE, {"code": present_code(secret), "next": "https://evil.example/"})
    assert done["Location"] == "/admin/"


@pytest.mark.parametrize(
    ("demand", "sent"), [("nobody", []), ("owners", ["owner"]), ("everybody", ["owner", "writer"])]
)
def test_who_must_have_a_second_step_sets_it_up_first(settings: Any, demand: str, sent: list[str]) -> None:
    settings.SECOND_STEP = demand
    found = []
    for role, name in (("owner", "owner"), ("editor", "writer")):
        user = User.objects.create_user(name, password="secret-secret", is_staff=True)
        Membership.objects.create(user=user, role=role)
        client = Client()
        client.force_login(user)
        answer = client.get("/admin/mailinglist/campaign/")
        if answer.status_code == 302:
            assert answer["Location"].startswith(OWN)
            assert "wants a second step of you" in client.get(OWN).content.decode()
            found.append(name)
    assert found == sent


def test_what_is_demanded_cannot_be_switched_off(client: Client, anna: User, settings: Any) -> None:
    _, codes = switch_on(anna)
    client.force_login(anna)
    client.post(CODE, {"code": codes[0]})
    settings.SECOND_STEP = "owners"
    client.post(OWN, {"do": "off", "code": codes[1]})
    assert second_step.is_on(anna)
    settings.SECOND_STEP = "nobody"
    client.post(OWN, {"do": "off", "code": "000000"})
    assert second_step.is_on(anna)
    client.post(OWN, {"do": "off", "code": codes[2]})
    assert not second_step.is_on(anna)
    assert told()[-1] == ("second step off", "Switched off by the manager (anna).")


def test_who_lost_phone_and_codes_is_helped_on_the_server(client: Client, anna: User) -> None:
    switch_on(anna)
    out = StringIO()
    call_command("reset_second_step", "anna", stdout=out)
    assert out.getvalue() == "anna logs in by password alone now.\n"
    log_in(client, "secret-secret")
    assert client.get("/admin/").status_code == 200
    assert Change.objects.get(after="second step off").actor == "command"
    with pytest.raises(CommandError, match="There is no manager bob"):
        call_command("reset_second_step", "bob")


def test_a_new_secret_key_with_the_old_as_fallback_reads_the_codes(anna: User, settings: Any) -> None:
    secret, _ = switch_on(anna)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "y" * 60, [settings.SECRET_KEY]
    assert second_step.check(anna, present_code(secret))
    settings.SECRET_KEY_FALLBACKS = []
    assert not second_step.check(anna, present_code(secret, 1))


def test_the_pages_of_the_second_step_need_their_tokens(anna: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(anna)
    assert strict.post(OWN, {"code": "1"}).status_code == 403
    switch_on(anna)
    assert strict.post(CODE, {"code": "1"}).status_code == 403
