"""A scripted upstream: records every request exactly, answers as a model would or as a test dictates.

It runs on raw asyncio streams in a thread of its own, so that a test controls every byte, every chunk
boundary and every way a connection can die. Without a script it answers like the API of its `kind`
(see `answers`), and its answers repeat the goal, so that a test can tell which goal was answered.
"""

import asyncio
import gzip
import json
import socket
import struct
import threading
from collections import deque
from dataclasses import dataclass, field

from . import answers
from .http import chunked, first, split_head, values
from .reply import Gate

READ_LIMIT = 64 << 20


@dataclass
class Recorded:
    """One request as it arrived: nothing parsed away, the body after removing the chunked coding."""

    method: str
    target: str
    headers: list
    body: bytes
    framing: str  # "none", "content-length" or "chunked"
    connection: int  # the how-manieth connection of this upstream
    nth: int  # the how-manieth request on that connection, from 0
    head: bytes
    chunk_sizes: list = field(default_factory=list)

    def header(self, name):
        return first(self.headers, name)

    def all(self, name):
        return values(self.headers, name)

    def json(self):
        """The body as JSON, without its content coding."""
        packed = self.header("content-encoding") == "gzip"
        return json.loads(gzip.decompress(self.body) if packed else self.body)

    @property
    def path(self):
        return self.target.partition("?")[0]

    def holds(self, secret):
        """Whether `secret` occurs anywhere in the request."""
        return secret.encode() in self.head or secret.encode() in self.body


class Upstream:
    """`kind` is "openai" or "gemini"; `name` appears in every generated answer."""

    def __init__(self, kind, name=None):
        self.kind = kind
        self.name = name or kind
        self.requests = []
        self.answered = 0
        self.connections = 0
        self._rules = deque()
        self._idle = {}
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"upstream-{self.name}", daemon=True)
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0, limit=READ_LIMIT))
        self.port = self._server.sockets[0].getsockname()[1]
        self.address = ("127.0.0.1", self.port)
        self.url = f"http://127.0.0.1:{self.port}"

    def script(self, *replies, when=None):
        """Queues replies (or functions from the request to a reply) for the next requests that fit `when`."""
        with self._lock:
            self._rules.extend((when, reply) for reply in replies)

    def forget_scripts(self):
        with self._lock:
            self._rules.clear()

    def mark(self):
        """A position in the record; see `since`."""
        return len(self.requests)

    def since(self, mark):
        """The requests recorded after `mark`."""
        return self.requests[mark:]

    def close_idle(self):
        """Closes every connection that waits for a request, as servers do after a keep-alive timeout."""

        async def close():
            writers = list(self._idle.values())
            for writer in writers:
                writer.close()
            return len(writers)

        return self._call(close())

    def close(self):
        async def stop():
            self._server.close()
            for task in asyncio.all_tasks():
                if task is not asyncio.current_task():
                    task.cancel()
            await asyncio.sleep(0)

        self._call(stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    async def _serve(self, reader, writer):
        self.connections += 1
        connection = self.connections
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        nth = 0
        try:
            while True:
                self._idle[connection] = writer
                head = await reader.readuntil(b"\r\n\r\n")
                self._idle.pop(connection, None)
                request = await self._receive(head, reader, writer, connection, nth)
                self.requests.append(request)
                nth += 1
                if not await self._answer(self._choose(request), request, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._idle.pop(connection, None)
            writer.close()

    async def _receive(self, head, reader, writer, connection, nth):
        line, headers = split_head(head)
        method, target, _ = line.split(" ", 2)
        if (first(headers, "expect") or "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await writer.drain()
        sizes = []
        if "chunked" in (first(headers, "transfer-encoding") or "").lower():
            framing, body = "chunked", bytearray()
            while True:
                size = int((await reader.readuntil(b"\r\n")).split(b";")[0].strip(), 16)
                body += await reader.readexactly(size)
                await reader.readuntil(b"\r\n")
                if size == 0:
                    break
                sizes.append(size)
        elif (length := first(headers, "content-length")) is not None:
            framing, body = "content-length", await reader.readexactly(int(length))
        else:
            framing, body = "none", b""
        return Recorded(method, target, headers, bytes(body), framing, connection, nth, head, sizes)

    def _choose(self, request):
        with self._lock:
            for rule in self._rules:
                when, reply = rule
                if when is None or when(request):
                    self._rules.remove(rule)
                    break
            else:
                reply = None
            self.answered += 1
            number = self.answered
        if reply is None:
            return answers.default(self, request, number)
        return reply(request) if callable(reply) else reply

    async def _answer(self, reply, request, writer):
        """Sends the reply; returns whether the connection lives on."""
        if reply.before is not None:
            await reply.before.pass_through()
        if reply.reset == "always" or (reply.reset == "reused" and request.nth > 0):
            return self._cut(writer)
        for interim in reply.interim:
            writer.write(interim)
        writer.write(reply.head(request.method))
        await writer.drain()
        if request.method != "HEAD" and reply.status not in (204, 304):
            for piece in reply.pieces:
                if isinstance(piece, Gate):
                    await piece.pass_through()
                    continue
                writer.write(chunked([piece], last=False) if reply.framing == "chunked" else piece)
                await writer.drain()
            if reply.end == "cut":
                return self._cut(writer)
            if reply.framing == "chunked":
                writer.write(b"0\r\n\r\n")
        await writer.drain()
        return reply.end == "keep" and reply.framing != "close"

    @staticmethod
    def _cut(writer):
        """Kills the connection with a reset, as a crashed server's kernel does."""
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
        return False
