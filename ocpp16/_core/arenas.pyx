"""Where Python's memory for small objects lies: in large pages, from the moment on that somebody asks for it.

Python takes that memory from the kernel in arenas of 1 MiB. Two of them fit into a large page, so here two are taken at
a time, at its border, with the wish for one; the second is kept until Python wants another. What has its arenas already
keeps them: who gives one back says so by a bit for each MiB that addresses can have.

Any thread may come: nothing is looked at before it is changed in one step.
"""

cdef extern from *:
    """
    #include <stdint.h>
    #include <sys/mman.h>

    #define LARGE ((size_t) 2 << 20)
    #define HALF ((size_t) 1 << 20)
    #define HALVES ((size_t) 1 << 27)  /* of the 47 bits that an address has which nobody asked to be higher */

    static PyObjectArenaAllocator before;
    static uint8_t *ours;
    static void *spare;

    static uint8_t *byte_of(void *arena, uint8_t *bit) {
        size_t number = (uintptr_t) arena / HALF;
        *bit = (uint8_t) (1u << (number & 7));
        return number < HALVES && !((uintptr_t) arena % HALF) ? ours + number / 8 : NULL;
    }

    static void *arena_taken(void *ctx, size_t size) {
        uint8_t bit, *byte;
        char *arena, *from, *all;
        if (size != HALF) return before.alloc(before.ctx, size);
        arena = (char *) __atomic_exchange_n(&spare, NULL, __ATOMIC_ACQ_REL);
        if (!arena) {
            all = (char *) mmap(NULL, 2 * LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (all == (char *) MAP_FAILED) return before.alloc(before.ctx, size);
            from = (char *) (((uintptr_t) all + LARGE - 1) / LARGE * LARGE);
            if (from > all) munmap(all, (size_t) (from - all));
            munmap(from + LARGE, (size_t) (all + LARGE - from));
            if (!byte_of(from, &bit) || !byte_of(from + HALF, &bit)) {
                munmap(from, LARGE);
                return before.alloc(before.ctx, size);
            }
            madvise(from, LARGE, MADV_HUGEPAGE);  /* refused: small pages do, too */
            arena = from;
            all = (char *) __atomic_exchange_n(&spare, from + HALF, __ATOMIC_ACQ_REL);
            if (all) munmap(all, HALF);
        }
        byte = byte_of(arena, &bit);
        __atomic_fetch_or(byte, bit, __ATOMIC_ACQ_REL);
        return arena;
    }

    static void arena_given_back(void *ctx, void *arena, size_t size) {
        uint8_t bit, *byte = byte_of(arena, &bit);
        if (byte && size == HALF && (__atomic_fetch_and(byte, (uint8_t) ~bit, __ATOMIC_ACQ_REL) & bit))
            munmap(arena, size);
        else
            before.free(before.ctx, arena, size);
    }

    static int take_large(void) {
        PyObjectArenaAllocator after = {NULL, arena_taken, arena_given_back};
        void *bits;
        if (ours) return 1;
        bits = mmap(NULL, HALVES / 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (bits == MAP_FAILED) return 0;
        ours = (uint8_t *) bits;
        PyObject_GetArenaAllocator(&before);
        PyObject_SetArenaAllocator(&after);
        return 1;
    }
    """
    bint take_large()


def new_arenas_are_large():
    """From here on; False: the kernel does not give the room for it. Nothing else happens when it is said again."""
    return take_large()
