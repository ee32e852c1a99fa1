"""Who may import whom. The table of docs/architecture.md, enforced by reading the sources."""

import ast
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("mailinglist", "bounces")
WIRING = {
    "mailinglist/settings.py",
    "mailinglist/login_settings.py",
    "mailinglist/navigation.py",
    "mailinglist/urls.py",
    "mailinglist/celery.py",
    "mailinglist/wsgi.py",
}
FRAMEWORK = ("django", "celery", "kombu", "boto3", "botocore", "django_ses", "unfold")
PURE = (
    "mailinglist/addresses.py",
    "mailinglist/merge.py",
    "mailinglist/phrases.py",
    "mailinglist/zone_names.py",
    "mailinglist/origins.py",
    "mailinglist/signs.py",
    "mailinglist/typos.py",
    "mailinglist/shades.py",
    "mailinglist/picture_bytes.py",
    "mailinglist/pictures.py",
    "mailinglist/whole_numbers.py",
    "mailinglist/composing/advice.py",
    "mailinglist/composing/design.py",
    "mailinglist/egress.py",
    "mailinglist/composing/markup.py",
    "mailinglist/composing/mime.py",
    "mailinglist/composing/mjml.py",
    "mailinglist/composing/untracked.py",
    "mailinglist/sending/ahead.py",
    "mailinglist/sending/in_flight.py",
    "mailinglist/sending/outcomes.py",
    "mailinglist/sending/budget.py",
    "mailinglist/zones.py",
    "mailinglist/sending/pace_words.py",
    "mailinglist/composing/links.py",
    "bounces/agents.py",
    "bounces/humans.py",
    "bounces/events.py",
    "bounces/classify.py",
    "bounces/dsn.py",
    "bounces/opinion.py",
    "bounces/queue_policy.py",
    "bounces/reading.py",
    "bounces/sources.py",
    *(file.relative_to(ROOT).as_posix() for file in sorted((ROOT / "bounces/verdicts").rglob("*.py"))),
    *(file.relative_to(ROOT).as_posix() for file in sorted((ROOT / "bounces/mail").rglob("*.py"))),
    "bounces/policy.py",
    "bounces/providers.py",
    "bounces/waves.py",
)
MODELS = ("mailinglist.models",)
CAPABILITIES = (
    "mailinglist.subscriptions",
    "mailinglist.suppression",
    "mailinglist.engagement",
    "mailinglist.lifecycle",
    "mailinglist.writing",
    "mailinglist.link_checks",
    "mailinglist.sender_checks",
    "mailinglist.imports",
    "mailinglist.exports",
    "mailinglist.archive",
    "mailinglist.farewell",
    "mailinglist.images",
    "mailinglist.looks",
    "mailinglist.mail_templates",
    "mailinglist.pauses",
    "mailinglist.sending.queue",
    "mailinglist.sending.engine",
    "mailinglist.sending.audience",
    "mailinglist.sending.providers",
)
WRITERS_FOR_BOUNCES = {
    "bounces/apply.py",
    "bounces/retries.py",
    "bounces/cleanup.py",
    "bounces/undo.py",
    "bounces/self_test.py",
    "bounces/pipeline.py",
    "bounces/judgement.py",
    "bounces/incidents.py",
    "bounces/deferrals.py",
    "bounces/engagement.py",
    "bounces/leaving.py",
    "bounces/suppression_sync.py",
}
PAGES = ("mailinglist.views", "mailinglist.admin", "mailinglist.forms", "django.http")
#: file prefix → what it must not import, with the reason a reader needs.
FORBIDDEN: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("mailinglist/", ("bounces",), "the arrow runs bounces → mailinglist, never back"),
    ("mailinglist/models/", (*CAPABILITIES, "celery", *PAGES, "mailinglist.tasks"), "models know nobody"),
    (
        "mailinglist/sending/",
        ("mailinglist.lifecycle", "mailinglist.views", "mailinglist.admin", "mailinglist.forms"),
        "the engine returns a result; the task passes it to lifecycle.settle",
    ),
    (
        "mailinglist/views/",
        ("boto3", "requests", "mailinglist.sending.ses"),
        "views call capability functions",
    ),
    (
        "mailinglist/admin/",
        ("boto3", "requests", "mailinglist.sending.ses"),
        "admin calls capability functions",
    ),
    ("bounces/", ("mailinglist.views", "mailinglist.admin"), "pages are not for reuse"),
    ("sandbox/", ("django", "mailinglist", "bounces"), "the local SES stands alone"),
    ("script/", ("django", "mailinglist", "bounces", "sandbox"), "scripts run before anything is installed"),
)


def sources(*folders: str) -> list[Path]:
    return [
        file
        for folder in folders
        for file in sorted((ROOT / folder).rglob("*.py"))
        if "migrations" not in file.parts
    ]


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@dataclass(slots=True)
class Said:
    """What the tests ask of a file, each with its line."""

    imports: list[str] = field(default_factory=list)
    #: Of ``what.update(key=…)``: what, and the keys.
    updates: list[tuple[int, str, set[str | None]]] = field(default_factory=list)
    #: Comparisons of two things that are both no constants, by == or !=.
    comparisons: list[tuple[int, str]] = field(default_factory=list)


@cache
def said_by(file: Path) -> Said:
    said = Said()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            said.imports += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            said.imports += (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and node.func.attr == "update" and node.keywords:
                said.updates.append(
                    (node.lineno, ast.unparse(node.func), {word.arg for word in node.keywords})
                )
        elif (
            isinstance(node, ast.Compare)
            and any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops)
            and not any(isinstance(part, ast.Constant) for part in [node.left, *node.comparators])
        ):
            said.comparisons.append((node.lineno, ast.unparse(node)))
    return said


def imports(file: Path) -> list[str]:
    return said_by(file).imports


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


@pytest.mark.parametrize(
    ("prefix", "packages", "why"), FORBIDDEN, ids=[row[0] + ">" + row[1][0] for row in FORBIDDEN]
)
def test_no_forbidden_import(prefix: str, packages: tuple[str, ...], why: str) -> None:
    wrong = [
        f"{name(file)} imports {module}: {why}"
        for file in sources(prefix)
        if name(file) not in WIRING
        for module in imports(file)
        if within(module, packages)
    ]
    assert wrong == []


@pytest.mark.parametrize("pure", PURE)
def test_pure_modules_know_no_framework_and_no_database(pure: str) -> None:
    wrong = [
        module for module in imports(ROOT / pure) if within(module, (*FRAMEWORK, *MODELS, *CAPABILITIES))
    ]
    assert wrong == []


def test_boto3_is_imported_in_one_place() -> None:
    users = {name(file) for file in sources(*APPS) for module in imports(file) if within(module, ("boto3",))}
    assert users == {"mailinglist/aws.py"}


def test_django_ses_is_imported_in_one_place() -> None:
    users = {
        name(file) for file in sources(*APPS) for module in imports(file) if within(module, ("django_ses",))
    }
    assert users == {"mailinglist/sending/ses.py"}


def test_only_named_modules_of_bounces_write_to_mailinglist() -> None:
    users = {
        name(file)
        for file in sources("bounces")
        for module in imports(file)
        if within(module, CAPABILITIES) and "/admin/" not in name(file) and "/management/" not in name(file)
    }
    assert users <= WRITERS_FOR_BOUNCES


@pytest.mark.parametrize(
    ("owner", "column", "model"),
    [
        ("mailinglist/lifecycle.py", "status", "Campaign"),
        ("mailinglist/sending/", "state", "Delivery"),
        ("mailinglist/suppression.py", "released_at", "Suppression"),
        ("mailinglist/form_steps.py", "step", "FormStep"),
    ],
)
def test_only_the_owner_updates_the_state_of_a_model(owner: str, column: str, model: str) -> None:
    wrong = [
        f"{name(file)}:{line}"
        for file in sources(*APPS)
        if not name(file).startswith(owner)
        for line, what, keys in said_by(file).updates
        if column in keys and f"{model}.objects" in what
    ]
    assert wrong == []


def test_no_secret_is_compared_in_a_time_that_tells_how_much_of_it_was_right() -> None:
    secret = ("secret", "password", "hmac", "signature", "token", "_key")
    public = ("type.", "version", "email_key", "dedupe_key", "campaign", "suppression_key")
    wrong = [
        f"{name(file)}:{line} {text}"
        for file in sources(*APPS)
        for line, text in said_by(file).comparisons
        if any(word in text.lower() for word in secret) and not any(word in text.lower() for word in public)
    ]
    assert wrong == []


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    long = {name(file): len(file.read_text().splitlines()) for file in sources(*APPS, "sandbox", "script")}
    assert {file: lines for file, lines in long.items() if lines > 400} == {}
