"""A new database is made at once; one of before goes on from where it is. tests/schemas.py compares what comes of it."""

from unittest import mock

import pytest
from django.db import connection
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from tests.schemas import only_old_migrations

Node = tuple[str, str]
APPS = ("mailinglist", "bounces")


def test_both_ways_lead_to_the_same_models() -> None:
    squashed = MigrationLoader(None).project_state()
    with only_old_migrations():
        old = MigrationLoader(None).project_state()
    assert MigrationAutodetector(old, squashed)._detect_changes() == {}


@pytest.mark.parametrize(
    ("mailinglist", "bounces"),
    [
        ("0001", "0001"),
        ("0029", "0020"),
        ("0042", "0022"),
        ("0042", "0027"),  # how far each was at a release is their own affair
        ("0054", "0027"),
        ("0055", "0024"),
        ("0055", ""),
        ("0055", "0027"),
    ],
)
def test_a_database_of_before_goes_on_from_where_it_is(mailinglist: str, bounces: str) -> None:
    newest = {"mailinglist": mailinglist, "bounces": bounces}
    nodes = sorted(
        node for node, found in MigrationLoader(None).disk_migrations.items() if not found.replaces
    )
    applied = {node for node in nodes if node[1][:4] <= newest.get(node[0], "9999")}
    begun = {app for app, _ in applied}
    assert planned(applied) == {node for node in nodes if node not in applied and node[0] in begun} | {
        (app, "0001_squashed_0027") for app in APPS if app not in begun
    }


def test_a_new_database_is_made_at_once() -> None:
    ours = {node for node in planned(set()) if node[0] in APPS}
    made_at_once = {("mailinglist", "0001_squashed_0055"), ("bounces", "0001_squashed_0027")}
    assert made_at_once <= ours
    later = {"mailinglist": "0055", "bounces": "0027"}
    assert all(name[:4] > later[app] for app, name in ours - made_at_once)


def planned(applied: set[Node]) -> set[Node]:
    """What `manage.py migrate` would do in a database that has these."""
    with mock.patch.object(MigrationRecorder, "applied_migrations", return_value=dict.fromkeys(applied)):
        executor = MigrationExecutor(connection)
        executor.loader.check_consistent_history(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return {(migration.app_label, migration.name) for migration, _ in plan}
