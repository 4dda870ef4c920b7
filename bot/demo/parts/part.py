"""What every part has in common: it runs until it is stopped, or until its `with` block is left."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Part(ABC):
    """Something that was started."""

    @abstractmethod
    def stop(self) -> None:
        """End it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
