"""What a session works by, of the configuration: how often it repeats, how long it waits, how much may wait.

Thousands of charge points have the same: what is asked for with each message is near in memory if they share it.
"""

from functools import lru_cache

from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys import core, internal
from ocpp16.patience import of_others
from ocpp16.rpc.policy import OutboxLimits, RetryRules

RESPONSE_TIMEOUT = 30.0
"""Seconds of the world after which a CALL without an answer is given up."""
RETRY_KEYS = frozenset({core.TRANSACTION_MESSAGE_ATTEMPTS.name, core.TRANSACTION_MESSAGE_RETRY_INTERVAL.name})
"""Those of `retry_rules`, which hold at once."""
_NOTHING: frozenset[str] = frozenset()
_shared_rules = lru_cache(maxsize=64)(RetryRules)
_shared_limits = lru_cache(maxsize=64)(OutboxLimits)


def retry_rules(configuration: Configuration, before: RetryRules | None = None) -> RetryRules:
    """`before`: those that held until now, of this start."""
    return _shared_rules(
        attempts=configuration[core.TRANSACTION_MESSAGE_ATTEMPTS],
        interval=configuration[core.TRANSACTION_MESSAGE_RETRY_INTERVAL],
        response_timeout=of_others(RESPONSE_TIMEOUT) if before is None else before.response_timeout,
    )


def outbox_limits(configuration: Configuration) -> OutboxLimits:
    discarded = configuration[internal.MESSAGE_TYPES_DISCARD_FOR_QUEUEING]
    return _shared_limits(
        threshold=configuration[internal.MESSAGE_QUEUE_SIZE_THRESHOLD],
        byte_limit=configuration[internal.MESSAGE_QUEUE_BYTE_LIMIT],
        replay_rate=configuration[internal.MESSAGE_REPLAY_RATE],
        queue_all=configuration[internal.QUEUE_ALL_MESSAGES],
        discard=frozenset(discarded) if discarded else _NOTHING,
    )
