def new_arenas_are_large() -> bool:
    """From here on; False: the kernel does not give the room for it. Nothing else happens when it is said again."""
