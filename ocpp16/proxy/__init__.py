"""Between a charge point and a Central System, whoever made them: records, judges, disturbs.

`open_proxy` listens, dials for each charge point that comes, and relays what both say, text by text as it is.
"""

from ocpp16.proxy.happening import Happening, Kind
from ocpp16.proxy.open import open_proxy
from ocpp16.proxy.proxy import Proxy

__all__ = ["Happening", "Kind", "Proxy", "open_proxy"]
