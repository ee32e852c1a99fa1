"""What script/start runs, as real processes: the reader of a queue, and the self-test through worker, local SES and hook.

Servers of a folder of their own, as in script/start; moto's SQS stands for Amazon's.
"""

import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from sandbox.testing import RunningSandbox, sandbox
from script import embedded, processes, project, services
from script.environment import PROJECT
from script.postgres import Postgres
from script.supervisor import Supervisor
from script.valkey import Valkey
from tests import migrated
from tests.script import asking

pytestmark = [pytest.mark.slow, pytest.mark.no_cover, pytest.mark.django_db]


class Installation:
    """Database and broker that run, a local SES, and the environment of the programs; ``port`` for the web server."""

    def __init__(self, var: Path, ses: RunningSandbox, port: int, supervisor: Supervisor) -> None:
        self.var, self.ses, self.port, self.supervisor = var, ses, port, supervisor
        left_out = ("DATABASE_URL", "CELERY_BROKER_URL", "PUBLIC_URL")
        inherited = {name: value for name, value in os.environ.items() if name not in left_out}
        self.environment = inherited | {
            "MAILINGLIST_MODE": "local", "MAILINGLIST_VAR": str(var), "SES_ENDPOINT_URL": ses.url,
            "SNS_TRUST_ANCHOR": str(ses.ca_pem), "SNS_TOPIC_ARNS": services.LOCAL_TOPIC, "SWEEP_SECONDS": "1",
            "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local", "PYTHONPATH": str(PROJECT),
        }  # fmt: skip

    def start(self, program: services.Program) -> None:
        self.supervisor.start(program)

    def kept(self) -> int:
        """How many notifications are stored."""
        return int(asking.one(self.var, "SELECT count(*) FROM bounces_notification"))


@pytest.fixture(scope="module")
def installation(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    var = tmp_path_factory.mktemp("services")
    embedded.make_private(var / "log")
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = int(found.getsockname()[1])
    server, broker, supervisor = Postgres(var), Valkey(var), Supervisor(var, lambda words: None)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, embedded.socket_dir(var), ignore_errors=True)
        server.owner.take()
        stack.callback(server.owner.release)
        stack.callback(supervisor.stop)
        for program in (server, broker):
            supervisor.start(program)
        hook = f"http://127.0.0.1:{port}/hooks/ses/"
        ses = stack.enter_context(
            sandbox(hook=hook, topic_arn=services.LOCAL_TOPIC, config={"max_send_rate": 100})
        )
        migrated.into(var)
        yield Installation(var, ses, port, supervisor)


def test_the_reader_of_the_queue_stores_what_comes_and_is_started_again_when_it_dies(
    installation: Installation,
) -> None:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    moto.start()
    host, port = moto.get_host_and_port()
    try:
        sqs = boto3.client(
            "sqs", endpoint_url=f"http://{host}:{port}", region_name="us-east-1",
            aws_access_key_id="local", aws_secret_access_key="local",
        )  # fmt: skip
        url = sqs.create_queue(QueueName="ses-events", Attributes={"VisibilityTimeout": "2"})["QueueUrl"]
        asked = installation.environment | {"SQS_QUEUE_URL": url, "SQS_ENDPOINT_URL": f"http://{host}:{port}"}
        reader = services.queue_reader(var=installation.var, environment=asked)
        installation.start(reader)
        before = installation.kept()
        sqs.send_message(QueueUrl=url, MessageBody='{"number": 1}')
        assert processes.wait_until(lambda: installation.kept() == before + 1, 20)
        assert reader.child is not None
        first = reader.child
        first.kill()
        first.wait()
        sqs.send_message(QueueUrl=url, MessageBody='{"number": 2}')
        installation.supervisor.look()
        assert processes.wait_until(lambda: installation.supervisor.look() or reader.child is not first, 20)
        assert processes.wait_until(lambda: installation.kept() == before + 2, 20)
    finally:
        moto.stop()


def test_the_self_test_goes_through_worker_ses_and_webhook_and_leaves_nothing(
    installation: Installation,
) -> None:
    installation.start(
        services.web(installation.port, var=installation.var, environment=installation.environment)
    )
    for queue in ("celery", "bounces"):
        installation.start(services.worker(queue, var=installation.var, environment=installation.environment))
    project.manage("load_demo", "--recipients", "1", environment=installation.environment)
    status, said, complaint = processes.output(
        [sys.executable, "manage.py", "bounce_doctor", "--self-test", "--timeout", "30", "--json"],
        environment=installation.environment,
        folder=PROJECT,
    )
    findings = json.loads(said.strip().splitlines()[-1])["findings"]
    of_test = {row["says"].partition("@")[0]: row["level"] for row in findings if row["part"] == "self-test"}
    assert of_test == {"success": "green", "bounce": "green", "complaint": "green"}, (
        status,
        complaint,
        findings,
    )
    sent = {
        row["recipients"][0] if "recipients" in row else row["recipient"] for row in installation.ses.ledger()
    }
    assert {address.partition("+")[0] for address in sent} == {"success", "bounce", "complaint"}
    of_test_left = "SELECT count(*) FROM mailinglist_subscriber WHERE email LIKE '%+%'"
    assert asking.one(installation.var, of_test_left) == "0"
