"""EVerest as the parts of the module see it: commands asked of required modules, variables published.

Nothing here raises: what EVerest's side does wrong is a warning, and the outcome that `questions` names.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from functools import partial
from typing import Any

from ocpp16.everest.calls import Calls, Unanswered
from ocpp16.everest.questions import QUESTIONS, Question
from ocpp16.faults import obey_exit, sentence
from ocpp16.log import FoldingLog

__all__ = ["EverestSide"]


class EverestSide:
    """`module` and `connections` are the framework's: its Module, and requirement → Fulfillments."""

    def __init__(self, module: Any, connections: Mapping[str, Sequence[Any]], log: FoldingLog) -> None:
        self.log = log
        self._module = module
        self._connections = connections
        self._calls = Calls(module.call_command)

    @property
    def module_id(self) -> str:
        return str(self._module.info.id)

    def connections(self, requirement: str) -> Sequence[Any]:
        return self._connections.get(requirement) or ()

    def ask(self, requirement: str, command: str, arguments: Mapping[str, Any] | None = None, index: int = 0) -> Any:
        """The answer of a connection of this requirement, or what counts without one."""
        question = QUESTIONS[requirement, command]
        fulfillment = self.connections(requirement)[index]
        return self._judged(
            question, index, lambda: self._calls.ask(fulfillment, command, arguments or {}, question.seconds)
        )

    def ask_each(self, requirement: str, command: str, arguments: Mapping[int, Mapping[str, Any]]) -> dict[int, Any]:
        """The same of several connections at the same time: index → its arguments, and what it gives. However many
        hang, it takes no longer than one that does."""
        question = QUESTIONS[requirement, command]
        begun: dict[int, Future[Any]] = {}
        found: dict[int, Any] = {}
        for index, given in arguments.items():
            fulfillment = self.connections(requirement)[index]
            try:
                begun[index] = self._calls.begin(fulfillment, command, given)
            except Unanswered as error:
                found[index] = self._unanswered(question, index, error)
        wait(begun.values(), question.seconds)
        for index, answer in begun.items():
            found[index] = self._judged(question, index, partial(self._calls.answer, answer, 0, question.seconds))
        return found

    def _judged(self, question: Question, index: int, answer: Callable[[], Any]) -> Any:
        try:
            return question.accept(answer(), "the answer")
        except (Unanswered, ValueError) as error:
            return self._unanswered(question, index, error)

    def _unanswered(self, question: Question, index: int, error: Exception) -> Any:
        place = f"{question.requirement}.{question.command}"
        module = self.connections(question.requirement)[index].module_id
        self.log.warning("%s of %s: %s; %s", place, module, str(error), question.outcome, about=(place, index))
        return question.otherwise

    def publish(self, implementation: str, variable: str, value: Any) -> None:
        try:
            self._module.publish_variable(implementation, variable, value)
        except BaseException as error:
            obey_exit(error)
            place = f"{implementation}.{variable}"
            self.log.warning("%s cannot be published: %s", place, sentence(error), about=place)
