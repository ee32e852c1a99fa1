"""The engine that turns deliveries into calls of Amazon SES.

    lifecycle.start → audience.snapshot      one Delivery per recipient
    tasks.send_campaign → engine.run         the loop:
        pacing.take                            permits of the account's rate and quota, for all processes
        queue.claim                            as many rows as permits; an Attempt each; COMMIT
        messages.build                         a fresh mail per recipient
        ses.send                               one POST each, no transaction open
        queue.finish                           outcomes written back, guarded by the fence (writing_down)
    → lifecycle.settle                       finished, paused, or another run

Locking. Every transaction takes row locks in this order, so that none waits for another in a circle:

    1. Campaign     claim: FOR SHARE (none while a pause or cancel commits); lifecycle: FOR NO KEY UPDATE
    2. Delivery     FOR NO KEY UPDATE by id; claim, recovery and requeue with SKIP LOCKED
    3. Subscriber   claim: FOR SHARE by id; unsubscribe, suppress, confirm: FOR NO KEY UPDATE, before they
                    write Subscription or Suppression
    4. Attempt      written only under the lock of its Delivery
    5. ProviderPace claim: after its deliveries, only while some provider is slowed; reports: alone
    6. SendBudget   alone, in its own transaction

Because of 3, an unsubscribe or suppression that committed before a claim committed is never mailed to: the
claim waits for it and decides in a second statement, whose snapshot sees it. NO KEY, because inserts that
refer to a row take FOR KEY SHARE on it and need not wait. Whoever deletes a Subscriber locks the person's
deliveries first. Leases and due times compare with the clock of PostgreSQL only. No network call happens
inside a transaction.
"""
