"""Whether the data are still in the database in which they were last at work.

Asked by the engine before it sends and by ``restored.py``. A backup knows nothing of the mails that left after it was
made; to send what it calls queued would send them again.
"""

from django.db import connection

#: The cluster and its timeline, the database and the table: one of them differs after pg_restore, after a
#: recovery to a point in time and after a standby took over, none after a restart; and none after a cold copy of the
#: cluster's files was put back, or a snapshot of the machine, which nothing in the files can tell from a restart.
FINGERPRINT = """concat_ws('.', (SELECT system_identifier FROM pg_control_system()),
                       (SELECT timeline_id FROM pg_control_checkpoint()),
                       (SELECT oid FROM pg_database WHERE datname = current_database()),
                       to_regclass('mailinglist_delivery')::oid)"""


def has_moved() -> bool:
    """True: this is another database than the last time. The first time it is remembered."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT fingerprint = {FINGERPRINT} FROM mailinglist_home")  # noqa: S608
        found = cursor.fetchone()
        if found is None:
            cursor.execute(
                f"INSERT INTO mailinglist_home (id, fingerprint) VALUES (1, {FINGERPRINT}) ON CONFLICT DO NOTHING"  # noqa: S608
            )
            return False
        return not found[0]


def settle_in() -> None:
    """From now on the data are at home here."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE mailinglist_home SET fingerprint = {FINGERPRINT}, since = statement_timestamp()"  # noqa: S608
        )
