"""kombu's Redis channels, mended so that a worker outlives its broker.

celery.py tells kombu of it by name, so that it is imported with the first message. kombu 5.7.0 closes the channels of a
lost connection and then still acknowledges and puts back what came through them; without a connection that raises
AttributeError, which ends the worker. Nothing is lost by leaving both out: messages only wake workers, and the sweep
finds the work.
"""

from kombu.transport import redis


class QoS(redis.QoS):
    """Answers for messages of a closed channel go nowhere."""

    def ack(self, delivery_tag: str) -> None:
        """Only on an open channel."""
        if not self.channel.closed:
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Only on an open channel."""
        if not self.channel.closed:
            super().reject(delivery_tag, requeue=requeue)


class Channel(redis.Channel):
    """What was taken and not answered is not put back."""

    QoS = QoS
    do_restore = False


class SentinelChannel(redis.SentinelChannel):
    """The same, where Sentinel knows the server."""

    QoS = QoS
    do_restore = False


class Transport(redis.Transport):
    Channel = Channel


class SentinelTransport(redis.SentinelTransport):
    Channel = SentinelChannel
