"""C types of measurement.py."""

from ocpp16._core.records cimport Shape, are_finite

cdef Shape _PHASES_SHAPE
cdef Shape _READING_SHAPE
cdef Shape _MEASUREMENT_SHAPE

cdef tuple _AS_THEY_ARE

cpdef phase_values(total, l1, l2, l3)
cpdef reading(value, location)
cpdef measured(energy_import, power, voltage, current, frequency, soc, tuple temperatures)

cpdef tuple by_phase(values)
cdef _check_registers(values, name)
cdef bint _are_readings(temperatures) except -1
