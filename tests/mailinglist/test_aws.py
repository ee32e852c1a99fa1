"""Which SES is talked to: never that of another installation."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from mailinglist import aws


@pytest.mark.parametrize("service", ["sesv2", "sns"])
def test_in_local_mode_a_local_ses_that_is_not_ours_is_not_asked(settings: Any, service: str) -> None:
    settings.LOCAL_SES_RUNS = False
    with pytest.raises(EndpointConnectionError, match=r"script/start does not run for .*SES_ENDPOINT_URL"):
        aws.client(service)
    settings.LOCAL = False
    assert aws.client(service).meta.region_name
