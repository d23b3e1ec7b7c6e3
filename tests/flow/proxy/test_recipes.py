#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The recipes of docs/sidecar-recipes.md, as they stand there, with the real peers of Debian: each block is taken
from the page, and ports, names and paths of the lab are put in place of the page's. A peer that is not installed
is skipped. PROXY, SARDANE and RESOLVERD in the environment name the programs.
usage: test_recipes.py PAGE
"""
import contextlib, glob, os, pathlib, pwd, re, shutil, signal, socket, subprocess, sys, tempfile, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
import dnsworld, proxylab
from joinlab import run
from proxylab import Proxy

PAGE = pathlib.Path(sys.argv[1]).read_text()

class Place:
    """A folder, free ports, and the page's blocks about it."""
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="sardane-recipe-")
        os.chmod(self.dir, 0o755)
        self.back, self.way = dnsworld.free_port(), dnsworld.free_port()

    def listens(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.back)) == 0

    def block(self, kind, name):
        found = re.search(rf"^```{kind} {name}\n(.*?)^```$", PAGE, re.S | re.M)
        assert found, f"the page has no {kind} {name}"
        values = dict((('"0.0.0.0:8883"', f'"{WORLD["B_JS_ADDRESS"]}:{WORLD["B_JS_PORT"]}"'), ("/etc/sardane/b", WORLD["B_JS_SERVER"]),
                ("/etc/sardane/a", WORLD["A_NS_CLIENT"]), ("_client.a.example", WORLD["A_NS_CLIENT_NAME"]), ("/run/sardane-proxy", self.dir),
                ("host.b.example:8883", f'{WORLD["B_JS_HOST"]}:{WORLD["B_JS_PORT"]}'), ("1883", str(self.back)), ("1884", str(self.way)),
                ("resolver:\n  trust_anchor_builtin: true\n", proxylab.resolver(WORLD))))
        # In one pass: a port that was put in may have another word of the page in it.
        return re.sub("|".join(map(re.escape, values)), lambda word: values[word[0]], found[1])

    def write(self, file, text):
        path = pathlib.Path(self.dir, file)
        path.write_text(text)
        path.chmod(0o644)
        return str(path)

    def through(self, name):
        """What the page's commands say, through the page's two proxies; and B's log."""
        with Proxy(self.block("yaml", name + "-b")) as b, Proxy(self.block("yaml", name + "-a")):
            got = subprocess.run(["bash", "-euc", self.block("sh", name)], cwd=self.dir, capture_output=True, text=True, timeout=60)
            assert got.returncode == 0, got.stdout + got.stderr
            b.said(rf'proxy\.end .*verdict=passed peer={re.escape(WORLD["A_NS_CLIENT_NAME"])} ')
            return got.stdout

@contextlib.contextmanager
def place():
    p = Place()
    try:
        yield p
    finally:
        shutil.rmtree(p.dir, ignore_errors=True)

@contextlib.contextmanager
def serving(p, *command, stop=signal.SIGTERM):
    """While command listens at the backend's port."""
    log = open(pathlib.Path(p.dir, "server.log"), "w+")
    with subprocess.Popen(command, cwd=p.dir, stdout=log, stderr=log) as server:
        try:
            until = time.monotonic() + 30
            while not p.listens():
                assert server.poll() is None and time.monotonic() < until, pathlib.Path(p.dir, "server.log").read_text()
                time.sleep(0.1)
            yield
        finally:
            server.send_signal(stop)

def mosquitto():
    with place() as p:
        config = p.write("mosquitto.conf", p.block("conf", "mosquitto"))
        with serving(p, "mosquitto", "-c", config):
            assert p.through("mosquitto") == "21.5 degrees\n"

def postgresql():
    as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
    with place() as p:
        if as_postgres:
            os.chown(p.dir, pwd.getpwnam("postgres").pw_uid, -1)
        subprocess.run([*as_postgres, programs + "/initdb", "-D", p.dir + "/data", "-A", "trust", "-U", "postgres"], cwd="/", check=True, capture_output=True)
        with open(p.dir + "/data/postgresql.conf", "a") as config:
            config.write(p.block("conf", "postgresql") + f"unix_socket_directories = '{p.dir}/data'\n")
        with serving(p, *as_postgres, programs + "/postgres", "-D", p.dir + "/data", stop=signal.SIGINT):
            assert p.through("postgresql") == "forty-two\n"

def nginx():
    with place() as p:
        config = p.write("nginx.conf", f"daemon off; pid {p.dir}/pid; error_log stderr; events {{}}\nhttp {{ access_log off;\n{p.block('conf', 'nginx')}}}\n")
        with serving(p, "nginx", "-c", config):
            assert p.through("nginx") == "you come from 127.0.0.1\n"

def redis():
    with place() as p:
        config = p.write("redis.conf", p.block("conf", "redis"))
        with serving(p, "redis-server", config):
            assert p.through("redis") == "OK\nopen\n"

NEEDS = {mosquitto: ["mosquitto", "mosquitto_pub"], postgresql: ["psql"], nginx: ["nginx", "curl"], redis: ["redis-server", "redis-cli"]}

def or_skip(test):
    missing = [n for n in NEEDS[test] if not shutil.which(n)]
    def skipped():
        print(f"# {test.__name__} is skipped: {missing[0]} is not installed")
    skipped.__name__ = test.__name__ + "_is_not_installed"
    return skipped if missing else test

os.environ["PATH"] += ":/usr/sbin"
with proxylab.world() as (WORLD, lab):
    run(*map(or_skip, NEEDS))
