"""What is known by number, where that mostly is one or two: of a connector, a transaction, a boot, a message.

A dict of one takes 224 bytes in two places; a charge point of one connector has a dozen of them, and there are ten
thousand charge points, each of which is cold when its turn comes. This takes 64 in one place, and is a dict beyond two.

Rules:
1. What it holds it lists in the order in which that came, as it was when it was asked to: values may come and go
   meanwhile.
2. Numbers are integers; what is none, or does not fit into 31 bits, makes a dict of it, until it is empty: rows of a
   table are known by text, too.
3. How many there are is told by their places, `NOTHING` where none is: a number more would take a fourth more room.
"""

from types import GenericAlias

cdef extern from "Python.h":
    bint PyLong_Check(object)
    long PyLong_AsLongAndOverflow(object number, int *overflow) except? -1

cdef enum:
    ABSENT = -1
    NOTHING = -1
    MANY = -2
    LARGEST = 0x7FFFFFFF


cdef class ByNumber:
    """`known`: what is known at first."""

    def __cinit__(self):
        self.first = self.second = NOTHING

    def __init__(self, known=None):
        if known:
            self.update(known)

    @classmethod
    def __class_getitem__(cls, kind):
        """As types of the standard library: for who reads the types of programs."""
        return GenericAlias(cls, kind)

    def __reduce__(self):
        """It can be copied, as deep as one likes."""
        return ByNumber, (), None, None, iter(self.items())

    def __len__(self):
        return len(<dict>self.one) if self.first == MANY else self.places()

    def __iter__(self):
        return iter(self.numbers())

    def __contains__(self, number):
        return number in <dict>self.one if self.first == MANY else self.place(number) != ABSENT

    def __getitem__(self, number):
        cdef int place
        if self.first == MANY:
            return (<dict>self.one)[number]
        place = self.place(number)
        if place == ABSENT:
            raise KeyError(number)
        return self.two if place else self.one

    def __setitem__(self, number, value):
        self.put(number, value)

    def __delitem__(self, number):
        cdef int place
        if self.first == MANY:
            del (<dict>self.one)[number]
            if not <dict>self.one:
                self.clear()
            return
        place = self.place(number)
        if place == ABSENT:
            raise KeyError(number)
        self.take(place)

    cpdef get(self, number, default=None):
        """What is known by this number, else `default`."""
        cdef int place
        if self.first == MANY:
            return (<dict>self.one).get(number, default)
        place = self.place(number)
        return default if place == ABSENT else self.two if place else self.one

    cpdef pop(self, number, default=None):
        """The same, which is not known from here on."""
        cdef int place
        if self.first == MANY:
            value = (<dict>self.one).pop(number, default)
            if not <dict>self.one:
                self.clear()
            return value
        place = self.place(number)
        return default if place == ABSENT else self.take(place)

    def values(self):
        """All that is known."""
        if self.first == MANY:
            return tuple((<dict>self.one).values())
        return (self.one, self.two)[: self.places()]

    def items(self):
        """The same, each with its number before it."""
        return tuple(zip(self.numbers(), self.values()))

    def update(self, known):
        """Take in what is known in a mapping."""
        for number, value in known.items():
            self.put(number, value)

    def clear(self):
        """Nothing is known from here on."""
        cdef object one = self.one, two = self.two  # values that go may look at it
        self.first = self.second = NOTHING
        self.one = self.two = None

    cdef tuple numbers(self):
        if self.first == MANY:
            return tuple(<dict>self.one)
        return (self.first, self.second)[: self.places()]

    cdef int places(self) noexcept:
        """How many are known to one that is no dict."""
        return (self.first != NOTHING) + (self.second != NOTHING)

    cdef int place(self, number) except -2:
        """Where the value of this number is, of one that is no dict."""
        cdef int overflow = 0
        cdef long wanted
        if self.first == NOTHING or not PyLong_Check(number):
            return ABSENT
        wanted = PyLong_AsLongAndOverflow(number, &overflow)
        if overflow or wanted < 0:
            return ABSENT
        if wanted == self.first:
            return 0
        return 1 if wanted == self.second else ABSENT

    cdef int put(self, number, value) except -1:
        cdef int overflow = 0, place
        cdef long wanted = -1
        if self.first == MANY:
            (<dict>self.one)[number] = value
            return 0
        place = self.place(number)
        if place == 0:
            self.one = value
            return 0
        if place == 1:
            self.two = value
            return 0
        if PyLong_Check(number):
            wanted = PyLong_AsLongAndOverflow(number, &overflow)
        if self.second != NOTHING or overflow or not 0 <= wanted <= LARGEST:
            many = dict(self.items())
            many[number] = value
            self.one, self.two, self.first, self.second = many, None, MANY, NOTHING
        elif self.first != NOTHING:
            self.two, self.second = value, <int>wanted
        else:
            self.one, self.first = value, <int>wanted
        return 0

    cdef take(self, int place):
        """The value at this place, without which it goes on."""
        cdef object value
        if place:
            value, self.two = self.two, None
        else:
            value, self.one, self.two, self.first = self.one, self.two, None, self.second
        self.second = NOTHING
        return value
