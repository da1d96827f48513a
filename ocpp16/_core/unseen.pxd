"""C types of unseen.pyx."""


cpdef unseen(one)
