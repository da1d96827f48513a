"""C types of meter_readings.py."""

from ocpp16._core.by_number cimport ByNumber
from ocpp16.profiles.context cimport Context


cdef class Taken:
    cdef readonly object measurement
    cdef readonly object at
    cdef readonly object clock_boot
    cdef readonly double made


cdef class MeterReadings:
    cdef public ByNumber _answered
    cdef public object _causes
    cdef Context _ctx
    cdef public ByNumber _told

    cpdef Taken present(self, connector_id)
    cpdef time(self, Taken taken)
    cdef Taken _told_last(self, connector_id)
    cdef Taken _taken(self, measurement)
