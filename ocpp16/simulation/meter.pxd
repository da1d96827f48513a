"""C types of meter.py."""

cimport cython

from ocpp16.measurement cimport measured, phase_values, reading


cdef class Meter:
    cdef double _amperes
    cdef list _energies
    cdef int _loaded
    cdef double _most
    cdef double _since
    cdef double _voltage

    @cython.locals(voltage=double, most=double, loaded=int, total=double, power=double, volts=double, amperes=double, watts=double, whole=double, energy=double)
    cpdef measurement(self, double now, noise, soc)
    @cython.locals(most=double)
    cdef double _current(self, double voltage, double noise)
    @cython.locals(added=double)
    cdef _add_up(self, double now)


cdef double _whole(double energy) except? -1.0
