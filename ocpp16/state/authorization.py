"""May this id tag charge? The ladder of local authorization list, cache, Central System and offline rules.

Rules of this file (OCPP 1.6 ed. 2 §3.5, §9.1):
1. Pure: what is known comes in, a decision with its reason comes out. Looking up, asking and storing are the feature
   profile's work. A decision without info means: ask the Central System.
2. An entry past its expiry date counts as Expired, in the list and in the cache.
3. The list beats the cache: a listed tag's cache entry is not looked at. List and cache count only if they are enabled.
4. Connected, local knowledge can only say yes (LocalPreAuthorize); for any other answer the Central System is asked.
5. Not connected, a tag that is known as not accepted is refused whatever the keys say: AllowOfflineTxForUnknownId is
   for tags nobody knows. An accepted one needs LocalAuthorizeOffline, or goes as an unknown one.
6. ConcurrentTx in the cache tells of a moment that is over, not of the tag: it counts as nothing known.
7. Id tags are compared without regard to case: look up by `id_tag_key`.
8. Every decision says why: on whose word, by which rule, and which configuration key would have made another one.
"""

from collections.abc import Mapping
from dataclasses import replace
from string import ascii_lowercase, ascii_uppercase
from types import MappingProxyType
from typing import NamedTuple

from ocpp16.enums import AuthorizationStatus
from ocpp16.models import IdTagInfo
from ocpp16.state.clock import to_micros


class AuthorizationRules(NamedTuple):
    """The values of the configuration keys of the same names; an absent optional key is False."""

    local_pre_authorize: bool
    local_authorize_offline: bool
    local_auth_list_enabled: bool
    authorization_cache_enabled: bool
    allow_offline_tx_for_unknown_id: bool


class Why(NamedTuple):
    """On whose word, by which rule; `key` is the configuration key that had a say, empty where none had."""

    source: str
    rule: str
    key: str = ""

    def of(self, info: IdTagInfo) -> IdTagInfo:
        """`info` that says why it is the answer."""
        return replace(info, source=self.source, rule=self.rule, key=self.key)


class Decision(NamedTuple):
    """`info` is the answer, None to ask the Central System; `why` of a question is that of the answer to it."""

    info: IdTagInfo | None
    why: Why


LISTED = "local authorization list"
CACHED = "authorization cache"
CENTRAL_SYSTEM = "the Central System"

_PRE_AUTHORIZE, _OFFLINE, _UNKNOWN = "LocalPreAuthorize", "LocalAuthorizeOffline", "AllowOfflineTxForUnknownId"

ACCEPTED_ONLINE = "connected, known here as accepted"
ACCEPTED_OFFLINE = "offline, known here as accepted"
REFUSED_OFFLINE = "offline, known here as not accepted"
NOT_ACCEPTED_LOCALLY = Why(CENTRAL_SYSTEM, "asked: known here, but not as accepted")
NOT_KNOWN_LOCALLY = Why(CENTRAL_SYSTEM, "asked: not known here")
NOT_ASKED_LOCALLY = Why(CENTRAL_SYSTEM, "asked: nothing is decided here while connected", _PRE_AUTHORIZE)
UNKNOWN_ALLOWED = Why("offline, AllowOfflineTxForUnknownId is on", "offline, not known here", _UNKNOWN)
UNKNOWN_REFUSED = Why("offline, nothing allows this tag", "offline, not known here", _UNKNOWN)
NOT_USED_ALLOWED = Why(UNKNOWN_ALLOWED.source, "offline, known here as accepted, which does not count", _UNKNOWN)
NOT_USED_REFUSED = Why(UNKNOWN_REFUSED.source, "offline, known here as accepted, which does not count", _OFFLINE)
NO_USABLE_ANSWER = Why("the Central System gave no usable answer", "asked: an error, or unreadable")
FREE = Why("free charging", "this id tag charges whoever plugs in", "FreeVendActive")
REFUSED_AT_START = Why(CENTRAL_SYSTEM, "refused in StartTransaction.conf", "StopTransactionOnInvalidId")

_ACCEPTED = IdTagInfo(AuthorizationStatus.ACCEPTED)
_INVALID = IdTagInfo(AuthorizationStatus.INVALID)

_COUNTS_AS_OFFLINE: Mapping[str, bool] = MappingProxyType(
    {
        "offline": True,
        "timeout": True,
        "dropped": True,
        "stopped": True,
        "callerror": False,
        "unreadable": False,
    }
)
"""`CallFailed.reason` of an Authorize → does the offline rule apply? Else the Central System spoke, but not clearly."""


def id_tag_key(id_tag: str) -> str:
    """What to look an id tag up by: IdToken is a case-insensitive type (OCPP 1.6 ed. 2 §7.28).

    Of the letters A to Z, which is all that it may be made of: what else counts as the same letter (ß and ss, K and the
    sign of Kelvin) must not have one card pass for another.
    """
    return id_tag.lower() if id_tag.isascii() else id_tag.translate(_ASCII_LOWER)


_ASCII_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def decide(
    *, is_connected: bool, rules: AuthorizationRules, listed: IdTagInfo | None, cached: IdTagInfo | None, now: int
) -> Decision:
    """Decide on an id tag with what the charge point knows itself.

    Parameters: `is_connected`: connected and accepted, so that the Central System could be asked; `listed`, `cached`:
    the tag's entry in the local authorization list and the authorization cache, None without one; `now`: µs UTC.
    """
    known, source = _known(rules, listed, cached, now)
    if is_connected:
        if not rules.local_pre_authorize:
            return Decision(None, NOT_ASKED_LOCALLY)
        if known is None:
            return Decision(None, NOT_KNOWN_LOCALLY)
        if not known.is_accepted:
            return Decision(None, NOT_ACCEPTED_LOCALLY)
        return Decision(known, Why(source, ACCEPTED_ONLINE, _PRE_AUTHORIZE))
    if known is not None and not known.is_accepted:
        return Decision(known, Why(source, REFUSED_OFFLINE))
    if known is not None and rules.local_authorize_offline:
        return Decision(known, Why(source, ACCEPTED_OFFLINE, _OFFLINE))
    if rules.allow_offline_tx_for_unknown_id:
        return Decision(_ACCEPTED, UNKNOWN_ALLOWED if known is None else NOT_USED_ALLOWED)
    return Decision(_INVALID, UNKNOWN_REFUSED if known is None else NOT_USED_REFUSED)


def decide_unanswered(
    reason: str, *, rules: AuthorizationRules, listed: IdTagInfo | None, cached: IdTagInfo | None, now: int
) -> Decision:
    """Decide after Authorize got no confirmation; `reason` is that of `CallFailed`. Never says to ask again.

    No answer at all is as good as no connection. An answer that is an error, or unreadable, is no permission.
    """
    if _COUNTS_AS_OFFLINE.get(reason, False):
        return decide(is_connected=False, rules=rules, listed=listed, cached=cached, now=now)
    return Decision(_INVALID, NO_USABLE_ANSWER)


def at_present(info: IdTagInfo, now: int) -> IdTagInfo:
    """`info` as it holds at `now` (µs UTC): an accepted tag past its expiry date is Expired."""
    if info.is_accepted and info.expiry_date is not None and to_micros(info.expiry_date) <= now:
        return replace(info, status=AuthorizationStatus.EXPIRED)
    return info


def _known(
    rules: AuthorizationRules, listed: IdTagInfo | None, cached: IdTagInfo | None, now: int
) -> tuple[IdTagInfo | None, str]:
    if rules.local_auth_list_enabled and listed is not None:
        return at_present(listed, now), LISTED
    is_of_a_moment = cached is not None and cached.status is AuthorizationStatus.CONCURRENT_TX
    if rules.authorization_cache_enabled and cached is not None and not is_of_a_moment:
        return at_present(cached, now), CACHED
    return None, ""
