"""The charge point's own state, as machines that neither send nor store nor wait.

Everything here is synchronous and is told the time: `now` is monotonic seconds for what is scheduled and µs since
1970 UTC for what is reported. Nothing in this package knows of sockets, SQL, frames or trio. The feature profiles
turn what these machines return into messages and rows.

One file per noun: `clock` and `timers` (time), `connector_table`, `connector`, `availability` and `status_throttle`
(what a connector reports), `transaction`, `authorization`, `registration`, `measurands`, `intervals` and `alignment`
(metering), and `signals`, the bus that joins the features.
"""
