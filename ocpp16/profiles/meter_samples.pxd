"""C types of meter_samples.py."""

from ocpp16._core.by_number cimport ByNumber
from ocpp16.profiles.context cimport Context
from ocpp16.profiles.meter_readings cimport MeterReadings, Taken
from ocpp16.state.intervals cimport IntervalBases


cdef class MeterSamples:
    cdef Context _ctx
    cdef public ByNumber _offered
    cdef public IntervalBases bases
    cdef public MeterReadings readings

    cpdef time(self, Taken taken, transaction, at=*)
    cpdef value(self, at, connector_id, measurement, wanted, context)
    cpdef text(self, at, connector_id, measurement, wanted, context)
    cpdef list note(self, connector_id, Taken taken, told_at=*)
