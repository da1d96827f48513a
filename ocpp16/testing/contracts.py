"""Conformance suites for what users bring themselves, and doubles that break a contract on purpose.

`check_store` is for a store driver of one's own, in a test of one's own:

    def test_my_store(tmp_path):
        check_store(lambda: MyStore(tmp_path / "database"))

It uses nothing of a driver but the contract of `ocpp16.store.base.Store`, and raises AssertionError naming the rule
that was broken.
"""

from collections.abc import Callable, Sequence
from typing import Any

from ocpp16.errors import StoreError
from ocpp16.state.transaction import Transaction
from ocpp16.store.base import ChargePointChanges, Delete, Put, Row, RowChange, Store, Table
from ocpp16.store.tables import (
    TABLES,
    local_list,
    local_list_version,
    message_queue,
    samples,
    settings,
    transactions,
)

_SETTINGS, _QUEUE, _SAMPLES = settings.TABLE, message_queue.TABLE, samples.TABLE


def check_store(open_store: Callable[[], Store]) -> list[str]:
    """Check a store driver. Returns the names of the rules that were checked.

    Parameter: `open_store` opens the same storage each time; it is empty the first time. A store that is not volatile
    is closed and opened again in between. Raises AssertionError for a rule that does not hold.
    """
    names = []
    store = open_store()
    try:
        for check in _CHECKS:
            _run(check, store)
            names.append(check.__name__.strip("_"))
        if not store.is_volatile:
            for before, after in _OVER_A_RESTART:
                before(store)
                store.close()
                store = open_store()
                _run(after, store)
                names.append(after.__name__.strip("_"))
    finally:
        store.close()
    _run(_closed_store_refuses, store)
    return [*names, "closed_store_refuses"]


class LossyStore:
    """A store that says a commit was made, and did not make it: to show that a test would notice.

    Parameters: `store` is the real one, `lose` says for the batches of a commit whether it is lost.
    """

    def __init__(self, store: Store, lose: Callable[[Sequence[ChargePointChanges]], bool]) -> None:
        self.store = store
        self.is_volatile: bool = store.is_volatile
        self.lost: int = 0
        self._lose = lose

    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        return self.store.load(charge_point_id, table, key)

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        if self._lose(batches):
            self.lost += 1
            return {}
        return self.store.apply(batches)

    def close(self) -> None:
        self.store.close()


def _run(check: Callable[[Store], None], store: Store) -> None:
    try:
        check(store)
    except AssertionError as error:
        raise AssertionError(f"{check.__name__.strip('_')}: {error}") from None


def _expect(actual: Any, expected: Any, what: str) -> None:
    if actual != expected:
        raise AssertionError(f"{what}: expected {expected!r:.300}, got {actual!r:.300}")


def _apply(store: Store, charge_point_id: str, *changes: RowChange) -> None:
    _expect(store.apply([(charge_point_id, changes)]), {}, "refused")


def _loaded(store: Store, charge_point_id: str, table: Table) -> list[Row]:
    return [tuple(row) for row in store.load(charge_point_id, table)]


def _message(sequence: int, payload: str = "{}") -> Put:
    return Put(_QUEUE, (sequence, 1, "StartTransaction", payload, 0, 1, 0))


def _a_new_charge_point_has_every_table_and_no_row(store: Store) -> None:
    for table in TABLES:
        _expect(list(store.load("new", table)), [], f"rows of {table.name}")


def _a_key_finds_the_rows_that_begin_with_it(store: Store) -> None:
    rows: list[Row] = [(key, n, 0, "{}") for key in (1, 2, 12) for n in (1, 2, 10)]
    _apply(store, "look up", *(Put(_SAMPLES, row) for row in reversed(rows)))
    _apply(store, "look", Put(_SAMPLES, (1, 1, 0, "other")))
    for key in ((), (1,), (12,), (2, 10), (3,), (2, 3)):
        expected = [row for row in rows if row[: len(key)] == key]
        _expect([tuple(row) for row in store.load("look up", _SAMPLES, key)], expected, f"rows below {key}")
    _apply(store, "look up", Put(_SETTINGS, ("a", "1")), Put(_SETTINGS, ("ab", "2")))
    _expect(list(store.load("look up", _SETTINGS, ("a",))), [("a", "1")], "rows of a text")


def _a_key_that_no_row_can_have_finds_nothing(store: Store) -> None:
    _apply(store, "no key", _message(1), Put(_SETTINGS, ("1", "a")), Put(_SETTINGS, ("", "b")))
    impossible: Sequence[tuple[Table, Row]] = (
        (_SETTINGS, (1,)),
        (_SETTINGS, (None,)),
        (_SETTINGS, ("\ud800",)),
        (_QUEUE, ("1",)),
        (_QUEUE, (2**63,)),
    )
    for table, key in impossible:
        _expect(list(store.load("no key", table, key)), [], f"rows of {table.name} below {key!r}")
    _expect(list(store.load("\ud800", _SETTINGS)), [], "rows of a charge point that cannot be")


def _a_narrowed_table_gives_its_columns_only(store: Store) -> None:
    _apply(store, "narrow", _message(2), _message(1))
    _expect(
        list(store.load("narrow", _QUEUE.narrowed("attempts", "action"))),
        [(n, 0, "StartTransaction") for n in (1, 2)],
        "rows",
    )
    _expect(list(store.load("narrow", _QUEUE.narrowed(), (2,))), [(2,)], "row")


def _loading_what_is_not_there_is_a_mistake(store: Store) -> None:
    mistakes: Sequence[tuple[str, Table, Row]] = (
        ("an unknown table", Table("no_such_table", ("a",), ("a",)), ()),
        ("an unknown column", _QUEUE.narrowed("no_such_column"), ()),
        ("a key that is too long", _QUEUE, (1, 2)),
    )
    for what, table, key in mistakes:
        try:
            store.load("mistake", table, key)
        except ValueError:
            continue
        raise AssertionError(f"{what} must raise ValueError")


def _a_row_comes_back_as_it_was_put(store: Store) -> None:
    put = transactions.put(Transaction(1, 2, "007", "TAG", started_at=5, meter_start=6, parent_id_tag="é"))
    _apply(store, "put", put)
    _expect(_loaded(store, "put", transactions.TABLE), [put.row], "row")


def _a_put_replaces_the_row_of_its_key(store: Store) -> None:
    _apply(store, "replace", Put(_SETTINGS, ("a", "1")), Put(_SETTINGS, ("b", "1")))
    _apply(store, "replace", Put(_SETTINGS, ("a", "2")), Put(_SETTINGS, ("a", "3")))
    _expect(_loaded(store, "replace", _SETTINGS), [("a", "3"), ("b", "1")], "rows")


def _a_change_applied_twice_leaves_the_same(store: Store) -> None:
    changes = (_message(1), Delete(_QUEUE, (2,)), _message(3))
    for _ in range(2):
        _apply(store, "twice", *changes)
    _expect([row[0] for row in _loaded(store, "twice", _QUEUE)], [1, 3], "sequences")


def _a_full_key_deletes_one_row(store: Store) -> None:
    _apply(store, "delete", _message(1), _message(2))
    _apply(store, "delete", Delete(_QUEUE, (1,)), Delete(_QUEUE, (77,)))
    _expect([row[0] for row in _loaded(store, "delete", _QUEUE)], [2], "sequences")


def _a_prefix_deletes_the_rows_below_it(store: Store) -> None:
    _apply(store, "prefix", *(Put(_SAMPLES, (key, n, 0, "{}")) for key in (1, 2, 12) for n in (1, 2)))
    _apply(store, "prefix", Delete(_SAMPLES, (1,)), Delete(_SAMPLES, (2, 2)))
    keys = [row[:2] for row in _loaded(store, "prefix", _SAMPLES)]
    _expect(keys, [(2, 1), (12, 1), (12, 2)], "keys")


def _an_empty_key_empties_the_table(store: Store) -> None:
    _apply(store, "empty", _message(1), _message(2), Put(_SETTINGS, ("a", "1")))
    _apply(store, "empty", Delete(_QUEUE, ()))
    _expect(_loaded(store, "empty", _QUEUE), [], "emptied table")
    _expect(_loaded(store, "empty", _SETTINGS), [("a", "1")], "other table")


def _changes_are_carried_out_in_their_order(store: Store) -> None:
    _apply(store, "order", Delete(_QUEUE, ()), _message(1), Delete(_QUEUE, (1,)), _message(1, '{"a":1}'))
    _expect([row[3] for row in _loaded(store, "order", _QUEUE)], ['{"a":1}'], "payloads")


def _a_table_without_key_columns_has_one_row(store: Store) -> None:
    table = local_list_version.TABLE
    _apply(store, "one row", Put(table, (1,)), Put(table, (2,)))
    _expect(_loaded(store, "one row", table), [(2,)], "rows")
    _apply(store, "one row", Delete(table, ()))
    _expect(_loaded(store, "one row", table), [], "rows")


def _rows_come_in_the_order_of_their_keys(store: Store) -> None:
    _apply(store, "sorted", *(_message(n) for n in (10, 9, 2**40, 1, 100)))
    _expect([row[0] for row in _loaded(store, "sorted", _QUEUE)], [1, 9, 10, 100, 2**40], "sequences")
    _apply(store, "sorted", *(Put(_SETTINGS, (key, "1")) for key in ("b", "B", "é", "a", "")))
    _expect([row[0] for row in _loaded(store, "sorted", _SETTINGS)], ["", "B", "a", "b", "é"], "texts")


def _charge_points_do_not_see_each_other(store: Store) -> None:
    store.apply([("one", [_message(1, "1")]), ("ONE", [_message(1, "2")]), ("one ", [_message(1, "3")])])
    _apply(store, "ONE", Delete(_QUEUE, ()))
    for charge_point_id, payloads in (("one", ["1"]), ("ONE", []), ("one ", ["3"]), ("on", [])):
        _expect([row[3] for row in _loaded(store, charge_point_id, _QUEUE)], payloads, f"rows of {charge_point_id!r}")


def _a_refused_charge_point_leaves_the_others_alone(store: Store) -> None:
    too_large = (2**63, 1, "Start", "{}", 0, 1, 0)
    refused = store.apply(
        [
            ("before", [_message(1)]),
            ("refused", [_message(1), Put(_QUEUE, too_large), _message(2)]),
            ("after", [_message(1)]),
        ]
    )
    _expect(list(refused), ["refused"], "refused charge points")
    if not isinstance(refused["refused"], Exception):
        raise AssertionError("the reason of a refusal is an exception")
    _expect(_loaded(store, "refused", _QUEUE), [], "rows of the refused one")
    for neighbour in ("before", "after"):
        _expect(len(_loaded(store, neighbour, _QUEUE)), 1, f"rows of the neighbour {neighbour}")


def _impossible_changes_are_refused(store: Store) -> None:
    unknown = Table("no_such_table", ("a",), ("a",))
    impossible: dict[str, RowChange] = {
        "too few columns": Put(_SETTINGS, ("a",)),
        "too many columns": Put(_SETTINGS, ("a", "b", "c")),
        "an unknown table": Put(unknown, (1,)),
        "deleting from an unknown table": Delete(unknown, ()),
        "a key that is too long": Delete(_QUEUE, (1, 2)),
        "a lone surrogate": Put(_SETTINGS, ("a", "\ud800")),
        "an integer of more than 64 bits": Put(_SETTINGS, ("a", -(2**63) - 1)),
        "a key that is null": Put(_SETTINGS, (None, "a")),
        "a value of another type": Put(_SETTINGS, ("a", {})),  # type: ignore[arg-type]
    }
    for what, change in impossible.items():
        _expect(list(store.apply([("impossible", [Put(_SETTINGS, ("b", "1")), change])])), ["impossible"], what)
        _expect(_loaded(store, "impossible", _SETTINGS), [], f"rows after {what}")


def _values_are_kept_exactly(store: Store) -> None:
    texts = ["", "0123", "1e3", "Straße ☃ \U0001f50c", "nul\0inside", "quote'\"", "x" * 1_000_000, "é"]
    rows: list[Row] = [(f"{index}", text) for index, text in enumerate(texts)]
    _apply(store, "exact \0 ☃", *(Put(_SETTINGS, row) for row in rows))
    _expect(_loaded(store, "exact \0 ☃", _SETTINGS), rows, "texts")
    numbers = [-(2**63), -1, 0, 2**31, 2**53 + 1, 2**63 - 1]
    _apply(store, "exact", *(_message(number) for number in numbers))
    _expect([row[0] for row in _loaded(store, "exact", _QUEUE)], numbers, "integers")


def _a_large_batch_is_one_commit(store: Store) -> None:
    tag = local_list.TABLE
    refused = store.apply(
        [(f"large {n}", [Put(tag, (f"TAG{m}", "Accepted", None, None)) for m in range(50)]) for n in range(40)]
    )
    _expect(refused, {}, "refused")
    _expect(len(_loaded(store, "large 39", tag)), 50, "rows")


def _nothing_to_apply_is_no_error(store: Store) -> None:
    _expect(store.apply([]), {}, "refused")
    _expect(store.apply([("nothing", [])]), {}, "refused")


def _before_restart(store: Store) -> None:
    _apply(store, "restart", _message(2, '{"é":1}'), _message(1), _message(3))
    _apply(store, "restart", Delete(_QUEUE, (3,)))


def _rows_are_there_after_a_restart(store: Store) -> None:
    expected = [(1, "{}"), (2, '{"é":1}')]
    _expect([(row[0], row[3]) for row in _loaded(store, "restart", _QUEUE)], expected, "messages")


def _before_refusal(store: Store) -> None:
    store.apply([("half", [_message(1), Put(_SETTINGS, ("too short",))]), ("whole", [_message(1)])])


def _a_refusal_holds_after_a_restart(store: Store) -> None:
    _expect((len(_loaded(store, "half", _QUEUE)), len(_loaded(store, "whole", _QUEUE))), (0, 1), "numbers of rows")


def _closed_store_refuses(store: Store) -> None:
    store.close()
    calls: dict[str, Callable[[], object]] = {
        "load": lambda: store.load("a", _SETTINGS),
        "apply": lambda: store.apply([("a", [_message(1)])]),
    }
    for what, call in calls.items():
        try:
            call()
        except StoreError:
            continue
        raise AssertionError(f"{what} of a closed store must raise StoreError")


_CHECKS: tuple[Callable[[Store], None], ...] = (
    _a_new_charge_point_has_every_table_and_no_row,
    _a_row_comes_back_as_it_was_put,
    _a_key_finds_the_rows_that_begin_with_it,
    _a_key_that_no_row_can_have_finds_nothing,
    _a_narrowed_table_gives_its_columns_only,
    _loading_what_is_not_there_is_a_mistake,
    _a_put_replaces_the_row_of_its_key,
    _a_change_applied_twice_leaves_the_same,
    _a_full_key_deletes_one_row,
    _a_prefix_deletes_the_rows_below_it,
    _an_empty_key_empties_the_table,
    _changes_are_carried_out_in_their_order,
    _a_table_without_key_columns_has_one_row,
    _rows_come_in_the_order_of_their_keys,
    _charge_points_do_not_see_each_other,
    _a_refused_charge_point_leaves_the_others_alone,
    _impossible_changes_are_refused,
    _values_are_kept_exactly,
    _a_large_batch_is_one_commit,
    _nothing_to_apply_is_no_error,
)
_OVER_A_RESTART = (
    (_before_restart, _rows_are_there_after_a_restart),
    (_before_refusal, _a_refusal_holds_after_a_restart),
)
