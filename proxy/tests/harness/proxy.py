"""Starts, watches, kills and restarts the binary under test."""

import json
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

from . import raw
from .client import Client
from .config import OWN_KEYS
from .metrics import Metrics
from .wait import until

HERE = Path(__file__).resolve().parent.parent
START_DEADLINE = 60.0

# Nothing of the caller's machine may steer the proxy: keys would add upstreams, proxies would swallow calls.
SCRUBBED = re.compile(r"^(TOLLFREE_(?!CACHE_DIR$)|GEMINI_|GOOGLE_|OPENAI_|ANTHROPIC_|RUST_LOG$)|_proxy$", re.IGNORECASE)


def binary():
    """The binary under test: TOLLFREE_BIN, else the release build of this checkout."""
    path = Path(os.environ.get("TOLLFREE_BIN") or HERE / "../../target/release/tollfree").resolve()
    if not path.exists():
        raise FileNotFoundError(f"no binary at {path}: run `cargo build --release -p tollfree` or set TOLLFREE_BIN")
    return path


def environment(extra=None):
    """A clean environment for the proxy and its commands, with the tests' own upstream keys."""
    env = {key: value for key, value in os.environ.items() if not SCRUBBED.search(key)}
    return env | OWN_KEYS | {"NO_COLOR": "1"} | (extra or {})


class Proxy:
    """One `tollfree serve` on free ports. Without `config` it runs on the built-in default."""

    def __init__(self, folder, config=None, env=None, preexec=None, args=()):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / "data"
        self.config = None
        if config is not None:
            self.config = self.folder / "tollfree.toml"
            self.config.write_text(config)
        self.env = environment(env)
        self.preexec = preexec
        self.args = list(args)
        self.process = None
        self.stdout = []
        self.stderr = []

    def start(self, ready=True):
        """Starts the process and reads its one line; with `ready` waits until it says it is ready."""
        flags = ["--json", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", *self.common, *self.args]
        self.stdout, self.stderr = [], []
        self.process = subprocess.Popen(
            [str(binary()), "serve", *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            env=self.env,
            cwd=self.folder,
            preexec_fn=self.preexec,
        )
        # Pipes, read by threads: a log file would fall under the file size limit some tests set.
        pipes = ((self.process.stdout, self.stdout), (self.process.stderr, self.stderr))
        self.drains = [threading.Thread(target=_drain, args=pipe, daemon=True) for pipe in pipes]
        for drain in self.drains:
            drain.start()
        line = until(lambda: self.stdout or self._exited(), "`serve --json` printed its line", START_DEADLINE)
        if line is True:
            raise AssertionError(f"serve ended with {self.process.returncode}:\n{self.log}")
        self.started = json.loads(self.stdout[0])
        self.address = _address(self.started, "listen")
        self.admin_address = _address(self.started, "admin_listen")
        self.url = "http://{}:{}".format(*self.address)
        self.client = Client(self.address)
        if ready:
            self.wait_ready()
        return self

    @property
    def common(self):
        """The flags every command takes: the same configuration and data directory."""
        config = ["--config", str(self.config)] if self.config else []
        return [*config, "--data-dir", str(self.data)]

    @property
    def log(self):
        return "".join(self.stderr)

    def _exited(self):
        return self.process.poll() is not None

    def admin(self, target, method="GET"):
        return raw.request(self.admin_address, method, target, timeout=10)

    def wait_ready(self):
        def ready():
            assert not self._exited(), f"serve ended with {self.process.returncode}:\n{self.log}"
            return self.admin("/readyz").status == 200

        until(ready, f"/readyz turned 200; log:\n{self.log[-2000:]}", START_DEADLINE, interval=0.02)

    def metrics(self):
        return Metrics(self.admin("/metrics").body.decode())

    def entries(self):
        return self.metrics().sum("tollfree_cache_entries")

    def stop(self):
        """Asks it to end, as a service manager does; afterwards `log` holds every line it wrote."""
        if self.process and not self._exited():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
            for drain in self.drains:
                drain.join(5)

    def kill(self):
        """kill -9: no chance to save anything."""
        if self.process:
            self.process.kill()
            self.process.wait(10)

    def restart(self, ready=True):
        """Starts again on the same data directory."""
        if not self._exited():
            self.stop()
        return self.start(ready)

    def command(self, *args, stdin=None, timeout=60):
        """Runs another command of the binary with this proxy's configuration and data directory."""
        return run(*args, *self.common, env=self.env, cwd=self.folder, stdin=stdin, timeout=timeout)

    def warm(self, ask):
        """Asks once, checks that it was a miss, and returns when the answer has been admitted.

        Admission may come just after the client has its last byte; a test of what is served later must not
        race it. Where nothing is admitted, the test that follows says so.
        """
        before = self.entries()
        answer = ask()
        assert answer.status == 200, f"{answer.status}: {answer.body[:500]!r}"
        assert answer.cache == "miss", f"expected a miss, got {answer.cache} ({answer.header('x-tollfree-reason')})"
        end = time.monotonic() + 2
        while self.entries() <= before and time.monotonic() < end:
            time.sleep(0.005)
        return answer


def run(*args, env=None, cwd=None, stdin=None, timeout=60):
    """Runs a command of the binary; returns the finished process with text output."""
    return subprocess.run(
        [str(binary()), *map(str, args)],
        capture_output=True,
        text=True,
        env=env or environment(),
        cwd=cwd,
        input=stdin,
        timeout=timeout,
    )


def _drain(stream, lines):
    for line in stream:
        lines.append(line.decode("utf-8", "replace"))


def _address(started, key):
    value = started.get(key) or (started.get("addr") or {}).get(key)
    assert value, f"the line of `serve --json` has no {key}: {started}"
    host, _, port = value.removeprefix("http://").rstrip("/").rpartition(":")
    return host, int(port)
