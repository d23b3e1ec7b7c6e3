# SPDX-License-Identifier: Apache-2.0
"""A server on a disk that obeys: with OnDisk(PROGRAM, CONFIG) as s, the preloaded library
DISK of the environment (tests/attack/join/disk.c) says what it asked of the disk, and lets a sync
hang or fail while a file is there. CONFIG has {dir} and {resolverd} to be filled in."""
import os, pathlib, re, shutil, subprocess, tempfile, time


class OnDisk:
    def __init__(self, program, config):
        self.program, self.config = program, config

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="sardane-disk-")
        self.hang, self.fail = pathlib.Path(f"{self.dir}/hang"), pathlib.Path(f"{self.dir}/fail")
        path = pathlib.Path(f"{self.dir}/server.yaml")
        path.write_text(self.config.format(dir=self.dir, resolverd=os.environ["RESOLVERD"]))
        with open(f"{self.dir}/err", "w") as err:
            self.server = subprocess.Popen([self.program, "--config", path], stderr=err, env={
                **os.environ, "LD_PRELOAD": os.environ["DISK"], "DISK_LOG": f"{self.dir}/log",
                "DISK_HANG": str(self.hang), "DISK_FAIL": str(self.fail)})
        ready = os.path.basename(self.program).removeprefix("sardane-") + r"\.ready .*\n"
        self.wait(lambda: re.search(ready, self.said()), "it does not start")
        self.started()
        return self

    def __exit__(self, *why):
        self.hang.unlink(missing_ok=True)
        self.fail.unlink(missing_ok=True)
        self.server.terminate()
        status = self.server.wait(30)
        if why[0]:
            print("".join(f"# {line}\n" for line in (self.said() + "\n".join(self.disk())).splitlines()[-40:]))
        shutil.rmtree(self.dir)
        assert why[0] or status == 0, f"it ended with {status}"

    def wait(self, condition, words):
        until = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < until, words
            time.sleep(0.01)

    def said(self):
        return pathlib.Path(f"{self.dir}/err").read_text()

    def disk(self):
        """What it asked of the disk and told its peers, in order."""
        p = pathlib.Path(f"{self.dir}/log")
        return p.read_text().split("\n")[:-1] if p.exists() else []
