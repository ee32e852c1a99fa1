"""PURE. Whether a queue takes messages from nobody but SNS for our topics, by the queue's own access policy.

Called by ``sqs`` before it believes a message without a signature (raw message delivery), and by the doctor. What is
not understood counts as open: a condition that is new here must not let strangers in.
"""

import json
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import Any

SNS = "sns.amazonaws.com"
_SEND = "sqs:sendmessage"
#: Conditions that hold only for the values given; those with IfExists or sets hold in other cases too.
_EXACT = frozenset({"arnequals", "arnlike", "stringequals", "stringlike"})


def problem(policy: str, *, queue_arn: str, topics: Collection[str]) -> str:
    """The sentence that says who else may send to the queue, or why that cannot be told; "" when only SNS may."""
    if not policy:
        return "The queue has no access policy, so SNS cannot send to it."
    try:
        statements = json.loads(policy)["Statement"]
        rows = [statements] if isinstance(statements, dict) else list(statements)
        wrong = next((found for row in rows if (found := _opens(row, queue_arn, topics))), "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return f"The access policy of the queue cannot be read ({type(error).__name__})."
    if wrong:
        return wrong
    if not any(_is_sns(row, topics) for row in rows):
        return f"The access policy of the queue does not let {SNS} send for one of SNS_TOPIC_ARNS."
    return ""


def _opens(row: Mapping[str, Any], queue_arn: str, topics: Collection[str]) -> str:
    """What is wrong with one statement; "" for one that lets nobody else send."""
    if (
        row["Effect"] != "Allow"
        or not _allows_sending(row)
        or _is_sns(row, topics)
        or _is_own(row, queue_arn)
    ):
        return ""
    name = str(row.get("Sid") or "without a Sid")[:100]
    return (
        f"The statement {name} of the queue's access policy lets others send than {SNS} for SNS_TOPIC_ARNS "
        "(principal and aws:SourceArn)."
    )


def _allows_sending(row: Mapping[str, Any]) -> bool:
    if "Action" not in row:
        return True  # NotAction allows all but a few
    return any(fnmatchcase(_SEND, str(action).lower()) for action in _listed(row["Action"]))


def _is_sns(row: Mapping[str, Any], topics: Collection[str]) -> bool:
    """Whether the statement is about SNS alone, for topics of ours alone."""
    only_sns = row.get("Principal") in ({"Service": SNS}, {"Service": [SNS]}) and "NotPrincipal" not in row
    return row["Effect"] == "Allow" and only_sns and _for_topics(row, topics)


def _for_topics(row: Mapping[str, Any], topics: Collection[str]) -> bool:
    """All conditions of a statement must hold together, so that one about the source is enough."""
    for operator, tests in row.get("Condition", {}).items():
        for key, values in tests.items():
            named = set(_listed(values))
            if (
                operator.lower() in _EXACT
                and key.lower() == "aws:sourcearn"
                and named
                and named <= set(topics)
            ):
                return True
    return False


def _is_own(row: Mapping[str, Any], queue_arn: str) -> bool:
    """Whether the statement names only the account that the queue belongs to.

    AWS writes it into every new queue, and it gives nobody a right: in its own account IAM decides in any case.
    """
    _, partition, _, _, account, _ = queue_arn.split(":")
    principal = row.get("Principal")
    if "NotPrincipal" in row or not isinstance(principal, dict) or set(principal) != {"AWS"}:
        return False
    owner = {account, f"arn:{partition}:iam::{account}:root"}
    return bool(account) and set(_listed(principal["AWS"])) <= owner


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
