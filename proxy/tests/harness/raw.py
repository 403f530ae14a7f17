"""An HTTP/1.1 client on a bare socket, for checks that a library would hide or make impossible."""

import gzip
import json
import socket
from dataclasses import dataclass, field

from . import transcript
from .http import chunked, first, split_head, values

TIMEOUT = 20.0


@dataclass
class Answer:
    """A response as it arrived. `complete` is false when the connection ended before the body did."""

    status: int
    reason: str
    headers: list
    body: bytes
    framing: str
    complete: bool
    interim: list = field(default_factory=list)
    chunk_sizes: list = field(default_factory=list)

    def header(self, name):
        return first(self.headers, name)

    def all(self, name):
        return values(self.headers, name)

    @property
    def decoded(self):
        """The body without its content coding."""
        return gzip.decompress(self.body) if self.header("content-encoding") == "gzip" else self.body

    def json(self):
        return json.loads(self.decoded)

    @property
    def cache(self):
        """What the proxy says it did: the value of x-tollfree-cache."""
        return self.header("x-tollfree-cache")

    @property
    def text(self):
        """The answer's text, whichever protocol and form it came in."""
        return transcript.text(self.header("content-type") or "", self.decoded)

    @property
    def events(self):
        """The data of each server-sent event, parsed where it is JSON."""
        return transcript.events(self.decoded)


class Wire:
    """One connection."""

    def __init__(self, address, timeout=TIMEOUT):
        self.socket = socket.create_connection(address, timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def half_close(self):
        """Ends our direction only: "no more requests, but I still read"."""
        self.socket.shutdown(socket.SHUT_WR)

    def _more(self):
        if self.ended:
            return False
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        self.ended = not data
        self.buffer += data
        return bool(data)

    def until(self, mark):
        """Reads up to and including `mark`; None if the connection ends first."""
        while mark not in self.buffer:
            if not self._more():
                return None
        end = self.buffer.index(mark) + len(mark)
        out, self.buffer = self.buffer[:end], self.buffer[end:]
        return out

    def exactly(self, count):
        """Reads `count` bytes, or fewer if the connection ends first."""
        parts, have = [self.buffer], len(self.buffer)
        self.buffer = b""
        while have < count and self._more():
            parts.append(self.buffer)
            have += len(self.buffer)
            self.buffer = b""
        data = b"".join(parts)
        self.buffer = data[count:]
        return data[:count]

    def read_head(self):
        """The next head, interim (1xx) or final: (status, reason, headers)."""
        head = self.until(b"\r\n\r\n")
        assert head is not None, f"the connection ended without a response; it held {self.buffer[:200]!r}"
        line, headers = split_head(head)
        version, status, reason = (line.split(" ", 2) + [""])[:3]
        assert version.startswith("HTTP/1."), f"not an HTTP/1 response: {line!r}"
        return int(status), reason, headers

    def read(self, method="POST"):
        """The next response, whole, with the interim ones before it."""
        interim = []
        while True:
            status, reason, headers = self.read_head()
            if status >= 200 or status == 101:
                break
            interim.append((status, headers))
        coding = (first(headers, "transfer-encoding") or "").lower()
        length = first(headers, "content-length")
        sizes, complete = [], True
        if method == "HEAD" or status in (204, 304):
            framing, body = "none", b""
        elif "chunked" in coding:
            framing = "chunked"
            body, sizes, complete = self._chunks()
        elif length is not None:
            framing, body = "content-length", self.exactly(int(length))
            complete = len(body) == int(length)
        else:
            framing = "close"
            while self._more():
                pass
            body, self.buffer = self.buffer, b""
        return Answer(status, reason, headers, body, framing, complete, interim, sizes)

    def _chunks(self):
        parts, sizes = [], []
        while True:
            line = self.until(b"\r\n")
            if line is None:
                return b"".join(parts), sizes, False
            size = int(line.split(b";")[0].strip(), 16)
            if size == 0:
                while (trailer := self.until(b"\r\n")) not in (b"\r\n", None):
                    pass
                return b"".join(parts), sizes, trailer is not None
            data = self.exactly(size + 2)
            parts.append(data[:size])
            sizes.append(size)
            if len(data) < size + 2:
                return b"".join(parts), sizes, False


def head(method, target, headers, host="proxy.test"):
    """A request head as bytes, headers exactly as given, in order."""
    lines = [f"{method} {target} HTTP/1.1"]
    if first(headers, "host") is None:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")


def request(address, method, target, headers=(), body=None, chunks=None, timeout=TIMEOUT):
    """One request on a fresh connection. `chunks` sends the body chunked, in exactly those pieces."""
    headers = list(headers)
    with Wire(address, timeout) as wire:
        if chunks is not None:
            headers.append(("Transfer-Encoding", "chunked"))
            payload = chunked(chunks)
        elif body is not None:
            headers.append(("Content-Length", str(len(body))))
            payload = body
        else:
            payload = b""
        wire.send(head(method, target, headers) + payload)
        return wire.read(method)


def request_1_0(address, method, target, headers, body, timeout=TIMEOUT):
    """One request of an HTTP/1.0 client, which knows no chunks: a body ends with the connection."""
    new = head(method, target, [*headers, ("Content-Length", str(len(body)))])
    with Wire(address, timeout) as wire:
        wire.send(new.replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1) + body)
        return wire.read(method)
