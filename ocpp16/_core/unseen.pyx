"""What Python's garbage collector need not look at: objects that can be in no circle.

It looks at what is new three times before it lets it be, and at all that this refers to. In a process of thousands of
charge points that is far from the processor, and what holds nothing but numbers and texts is looked at in vain.
"""

cdef extern from "Python.h":
    bint PyObject_GC_IsTracked(object)
    void PyObject_GC_UnTrack(object)


cpdef unseen(one):
    """The same object, at which the collector does not look any more. It must never lead back to itself, by whatever
    is put into it later either: nobody would find such a circle when it is not used any more."""
    if PyObject_GC_IsTracked(one):
        PyObject_GC_UnTrack(one)
    return one
