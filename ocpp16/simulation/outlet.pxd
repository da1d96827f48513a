"""C types of outlet.py."""

from ocpp16.state.clock cimport Clock


cdef class Outlet:
    cdef public double _energy_at_plug_in
    cdef readonly object _station
    cdef Clock _clock
    cdef public object car
    cdef public object connector_id
    cdef public object external
    cdef public object faults
    cdef public object flow
    cdef public bint is_known
    cdef public bint is_paused
    cdef public object limit
    cdef public object meter
    cdef public object offered
    cdef public object plugged_at
    cdef public double share
    cdef public object transaction_at

    cpdef catch_up(self)
    cpdef measurement(self)
