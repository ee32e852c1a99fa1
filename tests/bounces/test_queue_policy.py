"""Who may send to the queue: only SNS for our topics is believed, and what is not understood counts as open."""

import json
from typing import Any

import pytest

from bounces import queue_policy

TOPIC = "arn:aws:sns:eu-central-1:123456789012:ses-events"
QUEUE = "arn:aws:sqs:eu-central-1:123456789012:ses-events"
GOOD: dict[str, Any] = {
    "Sid": "ses",
    "Effect": "Allow",
    "Principal": {"Service": "sns.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": QUEUE,
    "Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}},
}
OWNER = {"Sid": "__owner_statement", "Effect": "Allow", "Action": "SQS:*", "Resource": QUEUE}


def problem(*statements: dict[str, Any]) -> str:
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return queue_policy.problem(policy, queue_arn=QUEUE, topics=[TOPIC])


def owner(principal: Any) -> dict[str, Any]:
    return {**OWNER, "Principal": principal}


@pytest.mark.parametrize(
    "others",
    [
        [],
        [owner({"AWS": "arn:aws:iam::123456789012:root"})],
        [owner({"AWS": "123456789012"})],
        [{"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": QUEUE}],
        [{"Effect": "Allow", "Principal": "*", "Action": "sqs:ReceiveMessage", "Resource": QUEUE}],
        [{**GOOD, "Sid": "again", "Condition": {"StringLike": {"AWS:SourceArn": [TOPIC]}}}],
    ],
)
def test_only_sns_for_our_topics_and_the_owner_may_send(others: list[dict[str, Any]]) -> None:
    assert problem(GOOD, *others) == ""


@pytest.mark.parametrize(
    "change",
    [
        {"Principal": "*"},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"Service": "s3.amazonaws.com"}},
        {"Principal": {"Service": ["sns.amazonaws.com", "s3.amazonaws.com"]}},
        {"Principal": {"AWS": "arn:aws:iam::999999999999:root"}},
        {"Principal": {"AWS": ["arn:aws:iam::123456789012:root", "999999999999"]}},
        {"NotPrincipal": {"AWS": "999999999999"}, "Principal": None},
        {"Condition": {}},
        {"Condition": {"ArnEquals": {"aws:SourceArn": f"{TOPIC}-other"}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}},
        {"Condition": {"ArnEquals": {"aws:SourceArn": [TOPIC, "arn:aws:sns:eu-central-1:9:evil"]}}},
        {"Condition": {"ArnEquals": {"aws:SourceArn": []}}},
        {"Condition": {"ArnEqualsIfExists": {"aws:SourceArn": TOPIC}}},
        {"Condition": {"ForAllValues:ArnEquals": {"aws:SourceArn": TOPIC}}},
        {"Condition": {"ArnNotEquals": {"aws:SourceArn": TOPIC}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}},
        {"Principal": "*", "Action": "*"},
        {"Principal": "*", "Action": ["sqs:ReceiveMessage", "sqs:Send*"]},
        {"Principal": "*", "Action": "SQS:SENDMESSAGE"},
        {"Principal": "*", "Action": None, "NotAction": "sqs:DeleteQueue"},
    ],
    ids=repr,
)
def test_a_statement_that_lets_anybody_else_send_is_named(change: dict[str, Any]) -> None:
    wrong = {name: value for name, value in {**GOOD, "Sid": "wide", **change}.items() if value is not None}
    assert "wide" in problem(GOOD, wrong)


@pytest.mark.parametrize(
    "policy", ["", "{", "[]", '{"Statement": 7}', '{"Statement": [{}]}', "null", "[" * 99999]
)
def test_what_cannot_be_read_is_a_problem(policy: str) -> None:
    assert queue_policy.problem(policy, queue_arn=QUEUE, topics=[TOPIC])


def test_a_single_statement_need_not_be_in_a_list() -> None:
    assert queue_policy.problem(json.dumps({"Statement": GOOD}), queue_arn=QUEUE, topics=[TOPIC]) == ""


def test_a_policy_that_lets_nobody_send_says_so() -> None:
    assert "does not let sns.amazonaws.com send" in problem(owner({"AWS": "123456789012"}))
    assert problem(GOOD) == "" and queue_policy.problem(
        json.dumps({"Statement": [GOOD]}), queue_arn=QUEUE, topics=[]
    )
