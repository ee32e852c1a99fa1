"""PURE. Reading mails that report something: one reader per kind of mail, all with the same answer
(``report``).

``parts``      bytes → headers, texts and embedded reports, within bounds
``addresses``  finding addresses in what people and servers wrote
``statuses``   delivery status notifications (RFC 3464)
``complaints`` feedback reports (RFC 5965)
``answers``    automatic replies (RFC 3834), receipts, challenges, traffic reports
``leaving``    mails that ask to leave a list (RFC 2369)
``prose``      bounces that are only written for people
``report``     what comes out

``bounces.dsn`` asks them in order.
"""
