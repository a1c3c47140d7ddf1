"""Exceptions, by the class of an error, and the warning of results that are missing."""


class Error(Exception):
    """An error of refiner. `hint` is a remedy where one is known."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        message = super().__str__()
        return message if self.hint is None else f"{message}\n  hint: {self.hint}"


class UsageError(Error, ValueError):
    """An argument or a setting is wrong."""


class InputError(Error, OSError):
    """No specimen can be read or decoded, or specimens cannot be replayed together."""


class RuleRefusedError(Error):
    """A rule was refused at admission."""


class HostError(Error):
    """A failure of this host: a deadline, a full disk, a missing service."""


class InternalError(Error):
    """A bug of refiner; please report it."""


class IncompleteWarning(UserWarning):
    """Results are missing from the tables: runs with another verdict than `produced`, and unusable specimens.

    `warnings.simplefilter("error", refiner.IncompleteWarning)` makes an exception of it.
    """
