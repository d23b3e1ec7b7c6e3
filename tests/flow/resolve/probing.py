# SPDX-License-Identifier: Apache-2.0
"""A probe process to talk to, and a TAP runner: each function of a module that starts with `it_` is a test."""
import os, pathlib, subprocess, sys, traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
PROBE, HELPER = os.environ["PROBE"], os.environ["RESOLVERD"]
WAIT = 30


class Probe:
    def __init__(self, *flags):
        """The longest deadline there is, unless a flag says another: this machine may be slow."""
        self.p = subprocess.Popen([PROBE, "--deadline", "4000", *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        self.first = self.p.stdout.readline().strip()

    def say(self, line):
        self.p.stdin.write(line + "\n")
        self.p.stdin.flush()

    def line(self):
        words = self.p.stdout.readline().strip()
        head, _, why = words.partition(" why=")
        return {"why": why, "event": words.split(" ")[0],
                **dict(w.split("=", 1) for w in head.split(" ")[1:] if "=" in w)}

    def ask(self, name, rtype, count=1, source=0, timeout=0):
        self.say(f"ask {count} {name} {rtype} {source} {timeout}")
        return self.line() if count == 1 else [self.line() for _ in range(count)]

    def stats(self):
        self.say("stats")
        return {k: int(v) for k, v in self.line().items() if v.isdigit()}

    def child(self):
        """The pid of sardane-resolverd."""
        path = pathlib.Path(f"/proc/{self.p.pid}/task/{self.p.pid}/children")
        return [int(c) for c in path.read_text().split()]

    def close(self):
        """Ends the probe; what it traced."""
        self.p.stdin.close()
        words = self.p.stderr.read()
        assert self.p.wait(WAIT) in (0, 1), f"the probe left with {self.p.returncode}: {words}"
        return words

    def __enter__(self):
        assert self.first == "ready", self.first
        return self

    def __exit__(self, *exc):
        if self.p.poll() is None:
            self.close()


def validating(world, *flags):
    return Probe("--helper", HELPER, "--anchor", world.anchor, "--forward", world.address, *flags)


def refused(*flags):
    p = Probe(*flags)
    p.close()
    assert p.first.startswith("refused "), p.first
    return p.first[len("refused "):]


def check(answer, **want):
    for key, value in want.items():
        assert answer.get(key) == str(value), f"{key} is {answer.get(key)!r}, not {value!r}: {answer}"


def run(module):
    tests = [(n, f) for n, f in vars(module).items() if n.startswith("it_")]
    only = sys.argv[1:]
    print(f"1..{len(tests)}")
    for i, (name, f) in enumerate(tests, 1):
        try:
            if not only or name in only:
                f()
            print(f"ok {i} - {name[3:].replace('_', ' ')}", flush=True)
        except BaseException:
            print(f"not ok {i} - {name[3:].replace('_', ' ')}", flush=True)
            print("".join("# " + l for l in traceback.format_exc().splitlines(True)), flush=True)
