"""Persistence: rows by charge point, changes in order, one commit for many.

    base, rows, tables     what is stored
    open                   who owns a store; the way in for hosts
    journal, proposal      what happened is committed behind; what is asked for is stored before it holds
    batch, commit, committer, watchers
                           what waits, what a thread does with it, who serves, who is told
    memory, sqlite         where to; a driver of your own is as good (check it with `ocpp16.testing.contracts`)
    connection, lock, opening, presence, migrations    the database file and its state
    recovery, pages, trees what a damaged file still holds
    fallback               memory in the place of a file that cannot be opened
    overlay, files         changed configuration as JSON files

Nothing is imported here: who only keeps things in memory pays for neither SQLite nor trio.
"""
