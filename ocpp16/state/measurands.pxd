"""C types of measurands.py."""

from ocpp16._core.decimals cimport text_of_numbers
from ocpp16.measurement cimport by_phase

cdef _append_phases(list pieces, values, tuple rests)
cdef _append_voltages(list pieces, voltages, tuple rests)
