"""What comes back from SES, in the order it flows.

``views`` (webhook), ``sqs`` (queue) and ``mailbox`` (IMAP) receive notifications, ``ingest`` stores them; ``reading``
says what is in them (``events`` for JSON of SES, ``dsn`` for mails, ``classify`` for the verdicts), ``matching`` whose
it is, ``writing`` keeps it, ``policy`` decides; ``pipeline`` tells that story and ``apply`` carries it out; ``retries``
and ``cleanup`` do what time brings.
``bounces`` may import ``mailinglist``; never the other way round.
"""
