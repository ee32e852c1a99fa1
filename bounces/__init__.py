"""What comes back from SES, in the order it flows.

``views`` and ``ingest`` store notifications; ``events`` parses them, ``classify`` judges them, ``policy`` decides;
``pipeline`` tells that story and ``apply`` carries it out; ``retries`` and ``cleanup`` do what time brings.
``bounces`` may import ``mailinglist``; never the other way round.
"""
