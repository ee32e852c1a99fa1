"""PURE. What a report means: facts → reason → verdict, by tables of rules.

``facts``      what is asked (BounceFacts) and answered (Verdict)
``reasons``    every reason code with its verdict and its sentence for list managers
``rules/``     wording → reason, one table per subject, each row with its own example
``ses_types``  SES bounce types and other report kinds → reason
``statuses``   enhanced status codes → reason
``text``       preparing what servers wrote: folding, masking, finding codes
``judge``      the order in which all these are asked
"""
