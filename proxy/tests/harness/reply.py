"""One scripted reply of the upstream, down to its chunk boundaries and the way it ends."""

import asyncio
import threading
import time
from dataclasses import dataclass, field

REASONS = {
    200: "OK",
    201: "Created",
    204: "No Content",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    418: "I'm a teapot",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

GATE_DEADLINE = 30.0


class Gate:
    """A point at which a reply waits until the test opens it; delays are events here, never times."""

    def __init__(self):
        self._open = threading.Event()
        self._reached = threading.Event()

    def open(self):
        self._open.set()

    def wait_reached(self, deadline=15.0):
        """Blocks the test until the upstream stands at the gate."""
        assert self._reached.wait(deadline), "the upstream never came to this point of its reply"

    async def pass_through(self):
        self._reached.set()
        end = time.monotonic() + GATE_DEADLINE
        while not self._open.is_set():
            if time.monotonic() > end:
                raise ConnectionError("the test never opened this gate")
            await asyncio.sleep(0.002)


@dataclass
class Reply:
    """`body` is bytes, or a list of pieces (each its own write, and its own chunk) and gates.

    framing: "content-length", "chunked" or "close". end: "keep", "close" (the connection ends silently after
    a whole reply) or "cut" (reset before the end of the body). reset: "never", "always", or "reused" (only
    when the connection has already served a request: the race every pooled connection can lose).
    """

    status: int = 200
    headers: list = field(default_factory=list)
    body: object = b""
    framing: str = "content-length"
    end: str = "keep"
    reset: str = "never"
    interim: list = field(default_factory=list)
    before: Gate | None = None
    reason: str | None = None

    @property
    def pieces(self):
        return self.body if isinstance(self.body, list) else [self.body]

    @property
    def data(self):
        """The whole body."""
        return b"".join(piece for piece in self.pieces if isinstance(piece, bytes))

    def head(self, method):
        """The head as bytes: the scripted headers untouched, then the framing."""
        reason = self.reason or REASONS.get(self.status, "Status")
        lines = [f"HTTP/1.1 {self.status} {reason}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.framing == "chunked":
            lines.append("Transfer-Encoding: chunked")
        elif self.framing == "content-length" and self.status not in (204, 304):
            lines.append(f"Content-Length: {len(self.data)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
