"""What is told of a request that cannot be answered, in the shape that clients know."""


class Refused(Exception):
    """A request is answered with an error: a line that says what, what was found, what to do.

    Args:
        status: HTTP's.
        message: the line.
        param: the part of the request that it is about.
        code: a word for programs.
        headers: HTTP headers that go with the status.
    """

    def __init__(
        self,
        status: int,
        message: str,
        param: str | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.param = param
        self.code = code
        self.headers = headers

    def as_json(self) -> dict[str, dict[str, str | None]]:
        """Return the body of the answer."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        message = str(self)
        return {"error": {"message": message, "type": kind, "param": self.param, "code": self.code}}
