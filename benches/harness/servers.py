"""Starts the servers under measurement and ends them again; runs the commands of `tollfree-bench`."""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import signal
import subprocess
import time
from pathlib import Path

START_DEADLINE_S = 300.0
STOP_DEADLINE_S = 10.0

# Nothing of the caller's shell may steer a measurement: keys would add upstreams, filters would add logging.
SCRUBBED = re.compile(r"^(TOLLFREE_(?!CACHE_DIR$)|GEMINI_|GOOGLE_|OPENAI_|ANTHROPIC_|RUST_LOG$)|_proxy$", re.IGNORECASE)


class MeasurementError(Exception):
    """Something that makes a measurement impossible, in words for the reader of the table."""


class Server:
    """A child process that prints one JSON line with its address once it accepts connections."""

    def __init__(self, name: str, command: list[str], log: Path, wrapper: list[str] | None = None) -> None:
        self.name = name
        self.log = log
        environment = {key: value for key, value in os.environ.items() if not SCRUBBED.search(key)}
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                [*(wrapper or []), *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                env=environment, cwd=log.parent,
            )
        try:
            self.started = json.loads(self._first_line())
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def address(self) -> str:
        return self.started["listen"]

    @property
    def url(self) -> str:
        return f"http://{self.address}/v1/chat/completions"

    def _first_line(self) -> bytes:
        ready, _, _ = select.select([self.process.stdout], [], [], START_DEADLINE_S)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            raise MeasurementError(f"{self.name} did not start: {self.complaint()}")
        return line

    def complaint(self) -> str:
        """The end of what the process wrote to standard error."""
        return self.log.read_text(errors="replace").strip()[-500:] or "no message"

    def check_alive(self) -> None:
        """Raises when the process has ended: what was measured meanwhile is not the server."""
        code = self.process.poll()
        if code is not None:
            ended = f"by signal {-code}" if code < 0 else f"with exit code {code}"
            raise MeasurementError(f"{self.name} ended {ended} during the measurement: {self.complaint()}")

    def cpu_seconds(self) -> float:
        """CPU time the process has used, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def post(address: str, body: dict, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    """One chat completion; status, headers in lower case, and body."""
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps(body),
                           {"content-type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def wait_ready(server: Server) -> None:
    """Waits until the admin listener says that everything is loaded."""
    end = time.monotonic() + START_DEADLINE_S
    reason = "no answer"
    while time.monotonic() < end:
        server.check_alive()
        connection = http.client.HTTPConnection(server.started["admin_listen"], timeout=30)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            if answer.status == 200:
                return
            reason = answer.read().decode(errors="replace")[:500]
        except OSError as error:
            reason = str(error)
        finally:
            connection.close()
        time.sleep(0.05)
    raise MeasurementError(f"{server.name} is not ready: {reason}")


def bench(binary: Path, *arguments: object) -> dict:
    """Runs a command of `tollfree-bench` and returns its report."""
    finished = subprocess.run([str(binary), *map(str, arguments), "--json"], capture_output=True, text=True)
    if finished.returncode != 0:
        raise MeasurementError(f"tollfree-bench {arguments[0]}: {finished.stderr.strip()[-500:]}")
    return json.loads(finished.stdout)
