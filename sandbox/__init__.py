"""A local Amazon SES: the SESv2 calls, the events and the SNS pushes of the real one, over real HTTP.

The demo sends through it, people read in its inbox what was sent, and the tests use it as the far end. It is
one process without Django: ``python -m sandbox --help``. Read in this order:

- ``ses.py`` (API; ``bulk.py`` for SendBulkEmail, ``bare.py`` for benchmarks) → ``acceptance.py`` (may this mail
  pass, what will become of it) → ``ledger.py`` (kept);
- ``outcomes.py`` (recipient → what happens) → ``events.py`` (JSON shapes) → ``pushes.py`` (signed, retried);
- ``subscription.py``, ``signing.py`` and ``sns_api.py`` (SNS), ``faults.py`` and ``control.py`` (switches),
  ``inbox.py`` and ``pages.py``;
- ``state.py`` holds the parts together, ``app.py`` names the routes, ``testing.py`` starts it from a test.
"""
