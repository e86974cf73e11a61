"""Errors that a user can mend. Each message says what was expected, what arrived, what to do."""


class HDMError(Exception):
    """A problem the user can mend; shown as one sentence, never as a traceback.

    `exit_code` is what the command line returns.
    """

    exit_code = 2


class ConfigError(HDMError):
    """params.yaml or pipelines.yaml is not what the schema allows."""


class DataError(HDMError):
    """The source images are missing, unreadable or laid out in an unknown way."""

    exit_code = 3


class ValidationFailed(HDMError):
    """The data were read, but the line's expectations do not hold."""

    exit_code = 4


class TrainingError(HDMError):
    """Training met a non-finite value or another state that it cannot continue from."""

    exit_code = 5


class RegistryError(HDMError):
    """MLflow could not be reached, or refused what was asked."""

    exit_code = 6
