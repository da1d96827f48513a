"""C types of periodic_samples.py."""

from ocpp16._core.by_number cimport ByNumber
from ocpp16.profiles.context cimport Context
from ocpp16.profiles.meter_sampling cimport MeterSampling


cdef class PeriodicSamples:
    cdef Context _ctx
    cdef MeterSampling _sampling
    cdef object _revision
    cdef tuple _reported
    cdef tuple _kept
    cdef public ByNumber _timers

    cpdef take_now(self, connector_id)
    cdef _sample(self, connector_id, transaction)


cdef class _Beat:
    cdef PeriodicSamples _samples
    cdef object _transaction
