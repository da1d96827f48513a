"""C types of noise.py."""


cdef class Noise:
    cdef long long _last
    cdef double _most
    cdef object _random
    cdef object _seed
