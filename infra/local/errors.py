"""What can keep the local stack from running; each message says what a person can do."""


class StackError(Exception):
    """The stack could not start, or a part of it ended; the program's exit code is `exit_code`."""

    exit_code = 1


class MissingToolError(StackError):
    """Java or an emulator is not installed; the message names the commands that install them."""

    exit_code = 2


class AlreadyRunningError(StackError):
    """Another supervisor keeps this run directory; the message names its process id."""

    exit_code = 3
