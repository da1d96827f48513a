"""Records that do not change once they are made, filled in one step; and rows, taken and looked over in one.

A record that holds nothing but numbers and texts is part of no circle, whatever becomes of it, so the collector need
not look at it, and is told so: each charge point that has a message in the air has a dozen of them.
"""

from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE, PyTuple_New, PyTuple_SET_ITEM

cdef extern from *:
    """
    #include <structmember.h>

    /* Where the value of a slot of `cls` lies in its instances; -1 if this is no such slot. */
    static Py_ssize_t offset_of(PyObject *slot, PyTypeObject *cls) {
        PyMemberDescrObject *member = (PyMemberDescrObject *)slot;
        if (Py_TYPE(slot) != &PyMemberDescr_Type || PyDescr_TYPE(slot) != cls || member->d_member->type != T_OBJECT_EX) {
            return -1;
        }
        return member->d_member->offset;
    }

    static PyObject **value_at(PyObject *record, Py_ssize_t offset) {
        return (PyObject **)((char *)record + offset);
    }

    /* Set the values of a record, which may have others. */
    static void set_values(PyObject *record, const Py_ssize_t *offsets, PyObject *values) {
        Py_ssize_t place;
        for (place = 0; place < PyTuple_GET_SIZE(values); place++) {
            PyObject *value = PyTuple_GET_ITEM(values, place);
            PyObject **at = value_at(record, offsets[place]);
            PyObject *before = *at;
            Py_INCREF(value);
            *at = value;
            Py_XDECREF(before);
        }
    }

    /* Will it never be part of a circle? A dict is no atom: the collector looks at it as soon as it is filled. */
    static int is_atom(PyObject *value) {
        return !PyObject_IS_GC(value) || (!PyObject_GC_IsTracked(value) && !PyDict_Check(value));
    }

    static int are_atoms(PyObject *values) {
        Py_ssize_t place;
        for (place = 0; place < PyTuple_GET_SIZE(values); place++) {
            PyObject *value = PyTuple_GET_ITEM(values, place);
            if (!is_atom(value) && !(PyTuple_CheckExact(value) && PyTuple_GET_SIZE(value) == 1
                                     && is_atom(PyTuple_GET_ITEM(value, 0)))) {
                return 0;
            }
        }
        return 1;
    }
    """
    Py_ssize_t offset_of(PyObject *slot, PyTypeObject *cls)
    PyObject **value_at(PyObject *record, Py_ssize_t offset)
    void set_values(PyObject *record, const Py_ssize_t *offsets, PyObject *values)
    bint are_atoms(PyObject *values)

cdef extern from "Python.h":
    bint PyUnicode_Check(PyObject *)
    bint PyUnicode_CheckExact(PyObject *)
    bint PyUnicode_IS_ASCII(PyObject *)
    bint PyLong_Check(PyObject *)
    bint PyLong_CheckExact(PyObject *)
    bint PyFloat_CheckExact(PyObject *)
    double PyFloat_AS_DOUBLE(PyObject *)
    long long PyLong_AsLongLongAndOverflow(PyObject *, int *)
    bint PyObject_TypeCheck(PyObject *, PyTypeObject *)
    object PyType_GenericAlloc(type, Py_ssize_t)
    void PyObject_GC_UnTrack(PyObject *)
    PyTypeObject *Py_TYPE(PyObject *)
    PyObject *Py_None

cdef extern from "math.h":
    bint isfinite(double)

cdef enum:
    MOST = 32


cdef class Shape:
    """The slots of a class in an order of one's own: how its instances are made, and taken apart.

    cls: a class of slots; names: some of its own slots, 32 at most. Raises TypeError for what is none.
    """

    def __init__(self, type cls not None, tuple names not None):
        if len(names) > MOST:
            raise TypeError(f"{len(names)} slots are too many")
        self.cls = cls
        self.size = len(names)
        own = vars(cls)
        for place, name in enumerate(names):
            slot = own.get(name)
            self.offsets[place] = offset_of(<PyObject *>slot, <PyTypeObject *>cls)
            if self.offsets[place] < 0:
                raise TypeError(f"{name} is no slot of {cls.__name__}")
        self.is_whole = cls.__base__ is object and set(names) == {
            name for name, slot in own.items() if offset_of(<PyObject *>slot, <PyTypeObject *>cls) >= 0
        } and cls.__dictoffset__ == 0 and cls.__weakrefoffset__ == 0

    cpdef fill(self, record, tuple values):
        """Set the slots of a new record, which its class lets nobody set.

        Raises ValueError unless there are as many, TypeError for what is no record of the class.
        """
        if not PyObject_TypeCheck(<PyObject *>record, <PyTypeObject *>self.cls):
            raise TypeError(f"{type(record).__name__} is no {self.cls.__name__}")
        self._check(values)
        set_values(<PyObject *>record, self.offsets, <PyObject *>values)
        if Py_TYPE(<PyObject *>record) == <PyTypeObject *>self.cls:
            self._set_aside(record, values)

    cpdef make(self, tuple values):
        """A record of these values, not looked at by anybody. Raises ValueError unless there are as many as slots."""
        self._check(values)
        record = PyType_GenericAlloc(self.cls, 0)
        set_values(<PyObject *>record, self.offsets, <PyObject *>values)
        self._set_aside(record, values)
        return record

    cpdef tuple row(self, record, tuple converts):
        """The values of a record as a row. converts: for each slot a function for values that are neither None nor
        exactly an integer or a text, or None: they stay as they are.

        Raises TypeError for what is no record of the class, AttributeError for a slot that is empty.
        """
        cdef Py_ssize_t place
        cdef PyObject *at
        if not PyObject_TypeCheck(<PyObject *>record, <PyTypeObject *>self.cls):
            raise TypeError(f"{type(record).__name__} is no {self.cls.__name__}")
        self._check(converts)
        row = PyTuple_New(self.size)
        for place in range(self.size):
            at = value_at(<PyObject *>record, self.offsets[place])[0]
            if at == NULL:
                raise AttributeError(f"slot {place} of {self.cls.__name__} is empty")
            value = _plain(<object>at, converts, place)
            Py_INCREF(value)
            PyTuple_SET_ITEM(row, place, value)
        return _out_of_sight(row)

    cdef _check(self, tuple values):
        if values is None or PyTuple_GET_SIZE(values) != self.size:
            raise ValueError(f"{self.size} slots, and {len(values or ())} values")

    cdef _set_aside(self, record, tuple values):
        """Out of the collector's sight, if it can hold nothing else than these, and they are atoms."""
        if self.is_whole and are_atoms(<PyObject *>values):
            PyObject_GC_UnTrack(<PyObject *>record)


cdef inline _plain(value, tuple converts, Py_ssize_t place):
    cdef PyObject *at = <PyObject *>value
    if at == Py_None or PyUnicode_CheckExact(at) or PyLong_CheckExact(at):
        return value
    convert = <object>PyTuple_GET_ITEM(converts, place)
    return value if convert is None else convert(value)


cdef inline tuple _out_of_sight(tuple row):
    """The collector would leave a row of atoms alone too, once it has seen it."""
    if are_atoms(<PyObject *>row):
        PyObject_GC_UnTrack(<PyObject *>row)
    return row


cpdef tuple plain_row(record, tuple converts):
    """As `Shape.row`, of a record that is a tuple. Raises TypeError if it is none, ValueError unless both are as long.
    """
    cdef Py_ssize_t place, size
    if not isinstance(record, tuple):
        raise TypeError(f"{type(record).__name__} is no tuple")
    size = PyTuple_GET_SIZE(record)
    if converts is None or size != PyTuple_GET_SIZE(converts):
        raise ValueError(f"{size} values, and {len(converts or ())} converts")
    row = PyTuple_New(size)
    for place in range(size):
        value = _plain(<object>PyTuple_GET_ITEM(record, place), converts, place)
        Py_INCREF(value)
        PyTuple_SET_ITEM(row, place, value)
    return _out_of_sight(row)


cpdef bint are_finite(tuple values) except -1:
    """Is each of these exactly a float, and finite, or None?"""
    cdef Py_ssize_t place
    cdef PyObject *value
    for place in range(PyTuple_GET_SIZE(values)):
        value = <PyObject *>PyTuple_GET_ITEM(values, place)
        if value != Py_None and not (PyFloat_CheckExact(value) and isfinite(PyFloat_AS_DOUBLE(value))):
            return False
    return True


cpdef bint are_plain(tuple values, Py_ssize_t keys) except -1:
    """Is each of these an int of 64 bits, a text in ASCII, or None, but for the first `keys`, which are not None?

    A bool is such an int, a member of a StrEnum such a text. So are nearly all rows; of the others this says nothing.
    """
    cdef Py_ssize_t place
    cdef PyObject *value
    cdef int beyond
    if values is None:
        raise TypeError("a row is a tuple")
    for place in range(PyTuple_GET_SIZE(values)):
        value = <PyObject *>PyTuple_GET_ITEM(values, place)
        if PyUnicode_Check(value):
            if not PyUnicode_IS_ASCII(value):
                return False
        elif PyLong_Check(value):
            PyLong_AsLongLongAndOverflow(value, &beyond)
            if beyond:
                return False
        elif value != Py_None or place < keys:
            return False
    return True
