"""The refusal that the gRPC service answers a caller with."""

import grpc


class RefusedError(Exception):
    """The call is refused with this status code; the message tells the caller what to do."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> RefusedError:
    """Answer the refusal of a request that can never succeed as it stands."""
    return RefusedError(grpc.StatusCode.INVALID_ARGUMENT, message)


def unsupported(message: str) -> RefusedError:
    """Answer the refusal of something that Cloud Tasks can do and this simulator can not: loud, never ignored."""
    return RefusedError(grpc.StatusCode.UNIMPLEMENTED, f"the simulator does not support {message}")


def not_found(message: str) -> RefusedError:
    """Answer the refusal of a call about something that is not there."""
    return RefusedError(grpc.StatusCode.NOT_FOUND, message)


def exists(message: str) -> RefusedError:
    """Answer the refusal of a name that is taken."""
    return RefusedError(grpc.StatusCode.ALREADY_EXISTS, message)
