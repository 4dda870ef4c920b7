"""What can go wrong with a real part: it cannot be had, or it does not run."""


class PartError(Exception):
    """A part of the demo or of the tests is not usable; its text is one sentence that names the part."""


class PartMissing(PartError):  # noqa: N818 - raised where a part is missing; it is caught as PartError
    """A part is not on this machine and could not be fetched."""

    def __init__(self, name: str, reason: str, remedy: str) -> None:
        self.name, self.reason, self.remedy = name, reason, remedy
        super().__init__(f"{name} could not be had: {reason}; to mend: {remedy}.")


class PartFailed(PartError):  # noqa: N818 - as above
    """A part is there but did not start, or did not do what it was told."""

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason
        super().__init__(f"{name} failed: {reason}.")
