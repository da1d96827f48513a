"""What Python's garbage collector need not look at: objects that can be in no circle."""

from typing import TypeVar

_T = TypeVar("_T")

def unseen(one: _T) -> _T: ...
