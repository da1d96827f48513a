"""C types of meter_sampling.py."""

from ocpp16.profiles.context cimport Context
from ocpp16.profiles.meter_samples cimport MeterSamples


cdef class MeterSampling:
    cdef Context _ctx
    cdef public object data
    cdef public MeterSamples samples
    cdef public object signed

    cpdef measurands(self, key)
    cpdef take(self, connector_id, reported, kept, context, transaction, at=*)
