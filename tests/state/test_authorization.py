"""The authorization ladder: who decides on an id tag, connected and not."""

from datetime import timedelta
from itertools import product

import pytest

from ocpp16.enums import AuthorizationStatus
from ocpp16.models import IdTagInfo
from ocpp16.state import authorization
from ocpp16.state.authorization import (
    AuthorizationRules,
    Decision,
    Why,
    at_present,
    decide,
    decide_unanswered,
    id_tag_key,
)
from ocpp16.state.clock import to_datetime

NOW = 1_700_000_000_000_000
S = AuthorizationStatus
ALL_ON = AuthorizationRules(
    local_pre_authorize=True,
    local_authorize_offline=True,
    local_auth_list_enabled=True,
    authorization_cache_enabled=True,
    allow_offline_tx_for_unknown_id=True,
)
STRICT = ALL_ON._replace(allow_offline_tx_for_unknown_id=False)
GOOD = IdTagInfo(S.ACCEPTED, parent_id_tag="group")
LASTING = IdTagInfo(S.ACCEPTED, to_datetime(NOW) + timedelta(seconds=1))
OVER = IdTagInfo(S.ACCEPTED, to_datetime(NOW))
BLOCKED = IdTagInfo(S.BLOCKED)
EXPIRED = IdTagInfo(S.EXPIRED, to_datetime(NOW))
UNKNOWN_YES, UNKNOWN_NO = IdTagInfo(S.ACCEPTED), IdTagInfo(S.INVALID)
ASK = None
BUSY = IdTagInfo(S.CONCURRENT_TX)
PRE_LISTED, PRE_CACHED = (
    Why(source, authorization.ACCEPTED_ONLINE, "LocalPreAuthorize")
    for source in (authorization.LISTED, authorization.CACHED)
)
OFF_LISTED, OFF_CACHED = (
    Why(source, authorization.ACCEPTED_OFFLINE, "LocalAuthorizeOffline")
    for source in (authorization.LISTED, authorization.CACHED)
)

ONLINE = [
    ("listed and accepted", ALL_ON, GOOD, None, GOOD, PRE_LISTED),
    ("listed until later", ALL_ON, LASTING, None, LASTING, PRE_LISTED),
    ("listed but over", ALL_ON, OVER, None, ASK, authorization.NOT_ACCEPTED_LOCALLY),
    ("listed as blocked", ALL_ON, BLOCKED, None, ASK, authorization.NOT_ACCEPTED_LOCALLY),
    ("the list beats the cache", ALL_ON, BLOCKED, GOOD, ASK, authorization.NOT_ACCEPTED_LOCALLY),
    ("cached and accepted", ALL_ON, None, GOOD, GOOD, PRE_CACHED),
    ("cached but over", ALL_ON, None, OVER, ASK, authorization.NOT_ACCEPTED_LOCALLY),
    ("cached as blocked", ALL_ON, None, BLOCKED, ASK, authorization.NOT_ACCEPTED_LOCALLY),
    ("unknown", ALL_ON, None, None, ASK, authorization.NOT_KNOWN_LOCALLY),
    (
        "no pre-authorization",
        ALL_ON._replace(local_pre_authorize=False),
        GOOD,
        GOOD,
        ASK,
        authorization.NOT_ASKED_LOCALLY,
    ),
    ("list off", ALL_ON._replace(local_auth_list_enabled=False), GOOD, None, ASK, authorization.NOT_KNOWN_LOCALLY),
    ("list off, cached", ALL_ON._replace(local_auth_list_enabled=False), BLOCKED, GOOD, GOOD, PRE_CACHED),
    ("cache off", ALL_ON._replace(authorization_cache_enabled=False), None, GOOD, ASK, authorization.NOT_KNOWN_LOCALLY),
    ("cached as busy elsewhere", ALL_ON, None, BUSY, ASK, authorization.NOT_KNOWN_LOCALLY),
]
LOCKED = STRICT._replace(local_authorize_offline=False)
OFFLINE = [
    ("listed and accepted", STRICT, GOOD, None, GOOD, OFF_LISTED),
    ("cached and accepted", STRICT, None, GOOD, GOOD, OFF_CACHED),
    ("listed as blocked", ALL_ON, BLOCKED, GOOD, BLOCKED, Why(authorization.LISTED, authorization.REFUSED_OFFLINE)),
    ("listed but over", ALL_ON, OVER, None, EXPIRED, Why(authorization.LISTED, authorization.REFUSED_OFFLINE)),
    ("cached as blocked", ALL_ON, None, BLOCKED, BLOCKED, Why(authorization.CACHED, authorization.REFUSED_OFFLINE)),
    ("cached but over", ALL_ON, None, OVER, EXPIRED, Why(authorization.CACHED, authorization.REFUSED_OFFLINE)),
    ("unknown, allowed", ALL_ON, None, None, UNKNOWN_YES, authorization.UNKNOWN_ALLOWED),
    ("unknown, not allowed", STRICT, None, None, UNKNOWN_NO, authorization.UNKNOWN_REFUSED),
    ("no local authorization", LOCKED, GOOD, GOOD, UNKNOWN_NO, authorization.NOT_USED_REFUSED),
    (
        "blocked without local authorization",
        LOCKED,
        BLOCKED,
        None,
        BLOCKED,
        Why(authorization.LISTED, authorization.REFUSED_OFFLINE),
    ),
    (
        "accepted without local authorization goes as unknown",
        ALL_ON._replace(local_authorize_offline=False),
        GOOD,
        None,
        UNKNOWN_YES,
        authorization.NOT_USED_ALLOWED,
    ),
    (
        "pre-authorization does not matter",
        STRICT._replace(local_pre_authorize=False),
        GOOD,
        None,
        GOOD,
        OFF_LISTED,
    ),
    (
        "list off: its blocked tag is unknown",
        ALL_ON._replace(local_auth_list_enabled=False),
        BLOCKED,
        None,
        UNKNOWN_YES,
        authorization.UNKNOWN_ALLOWED,
    ),
    (
        "cache off: its blocked tag is unknown",
        ALL_ON._replace(authorization_cache_enabled=False),
        None,
        BLOCKED,
        UNKNOWN_YES,
        authorization.UNKNOWN_ALLOWED,
    ),
    ("cached as busy elsewhere is unknown", ALL_ON, None, BUSY, UNKNOWN_YES, authorization.UNKNOWN_ALLOWED),
    ("listed as busy elsewhere", ALL_ON, BUSY, None, BUSY, Why(authorization.LISTED, authorization.REFUSED_OFFLINE)),
]
ROWS = [
    pytest.param(is_connected, *row[1:], id=f"{'online' if is_connected else 'offline'}: {row[0]}")
    for is_connected, rows in ((True, ONLINE), (False, OFFLINE))
    for row in rows
]


@pytest.mark.parametrize(("is_connected", "rules", "listed", "cached", "info", "why"), ROWS)
def test_ladder(
    is_connected: bool,
    rules: AuthorizationRules,
    listed: IdTagInfo | None,
    cached: IdTagInfo | None,
    info: IdTagInfo | None,
    why: Why,
) -> None:
    decision = decide(is_connected=is_connected, rules=rules, listed=listed, cached=cached, now=NOW)
    assert decision == Decision(info, why)


ENTRIES = [None, GOOD, LASTING, OVER, *(IdTagInfo(status) for status in S)]


@pytest.mark.parametrize("switches", list(product([False, True], repeat=5)))
def test_what_holds_for_all_rules_and_entries(switches: tuple[bool, ...]) -> None:
    rules = AuthorizationRules(*switches)
    for listed, cached in product(ENTRIES, repeat=2):
        online = decide(is_connected=True, rules=rules, listed=listed, cached=cached, now=NOW)
        offline = decide(is_connected=False, rules=rules, listed=listed, cached=cached, now=NOW)
        assert online.info is None or online.info.is_accepted
        assert offline.info is not None
        for decision in (online, offline):
            assert all(decision.why[:2])
            assert decision.why.key in ("", "LocalPreAuthorize", "LocalAuthorizeOffline", "AllowOfflineTxForUnknownId")
        knows_no_good = [
            info
            for info, counts in ((listed, rules.local_auth_list_enabled), (cached, rules.authorization_cache_enabled))
            if counts and info is not None and not (info is cached and info.status is S.CONCURRENT_TX)
        ]
        if knows_no_good and not at_present(knows_no_good[0], NOW).is_accepted:
            assert online.info is None
            assert not offline.info.is_accepted


@pytest.mark.parametrize("reason", ["offline", "timeout", "dropped", "stopped"])
def test_no_answer_is_like_no_connection(reason: str) -> None:
    answer = decide_unanswered(reason, rules=ALL_ON, listed=None, cached=None, now=NOW)
    assert answer == decide(is_connected=False, rules=ALL_ON, listed=None, cached=None, now=NOW)


@pytest.mark.parametrize("reason", ["callerror", "unreadable", "something new"])
def test_an_unusable_answer_is_no_permission(reason: str) -> None:
    answer = decide_unanswered(reason, rules=ALL_ON, listed=GOOD, cached=None, now=NOW)
    assert answer == Decision(UNKNOWN_NO, authorization.NO_USABLE_ANSWER)


def test_expiry_leaves_the_rest_of_an_entry_alone() -> None:
    over = IdTagInfo(S.ACCEPTED, to_datetime(NOW), "group")
    assert at_present(over, NOW) == IdTagInfo(S.EXPIRED, to_datetime(NOW), "group")
    assert at_present(over, NOW - 1) is over
    blocked = IdTagInfo(S.BLOCKED, to_datetime(NOW))
    assert at_present(blocked, NOW) is blocked


def test_id_tags_are_compared_without_case() -> None:
    assert id_tag_key("04aBcDeF") == id_tag_key("04ABCDEF")
    assert id_tag_key("04ABCDEF") != id_tag_key("04ABCDE0")


def test_id_tags_differ_by_more_than_the_case_of_ascii_letters() -> None:
    assert id_tag_key("AbZ-09") == id_tag_key("aBz-09") == "abz-09"
    assert id_tag_key("Käte") == id_tag_key("KÄTE".replace("Ä", "ä")) == "käte"
    for one, other in (("STRASSE", "straße"), ("\N{KELVIN SIGN}", "k"), ("ſ", "s"), ("Ä", "ä"), ("ﬁ", "fi")):
        assert id_tag_key(one) != id_tag_key(other)
