"""C types of context.py."""

from ocpp16._core.by_number cimport ByNumber
from ocpp16.profiles.sender cimport Sender
from ocpp16.rpc.session cimport Session
from ocpp16.state.clock cimport Clock
from ocpp16.state.timers cimport Timers
from ocpp16.state.transaction cimport Transactions


cdef class Context:
    cdef object _fraction_digits
    cdef public object asked
    cdef public object charge_point_id
    cdef public Clock clock
    cdef public object configuration
    cdef public ByNumber connectors
    cdef public object counters
    cdef public object failed
    cdef public object journal
    cdef public object kick
    cdef public object log
    cdef public Sender sender
    cdef public Session session
    cdef public object signals
    cdef public object spawn_outside
    cdef public object start
    cdef public object station
    cdef public object station_side
    cdef public object tell
    cdef public Timers timers
    cdef public Transactions transactions

    cpdef time_text(self, micros)
