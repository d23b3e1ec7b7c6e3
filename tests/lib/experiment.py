#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The paper's experiment on loopback: a lab, organisation A's Network Server, organisation B's Join
and Application Servers, each with the credentials and the configuration of an operator.

    with Experiment(BUILD) as e:          BUILD: the Meson build directory, or a folder of programs
        e.add_device(DEV_EUI, APP_KEY)    before start, or later
        e.start("joind", "networkd", "applicationd")
        e.simulate("--dev-eui", DEV_EUI, "--app-key", APP_KEY)
        e.event("up", DEV_EUI)["data"]

Every process is ended by its own id, every file lies in one folder that goes at the end.
From a shell: experiment.py BUILD [DIR] brings it all up and waits for standard input to close.
"""
import json, os, pathlib, re, shutil, signal, subprocess, sys, tempfile, time

PATIENCE = 40  # seconds; the machine may be busy

JOIND = """database: {dir}/joind.db
as_id_by_name: true
resolve_net_id_domain_suffix: {net_id_suffix}
join_server:
  bind: {b_js[address]}:{b_js[port]}
  tls_cert: {b_js[server_prefix]}.pem
  tls_key: {b_js[server_prefix]}-key.pem
clients:
  - name: {a_ns[client_name]}
    net_id: "{a[net_id]}"
  - name: {b_as[client_name]}
    as_id: {b_as[host]}
{joind_clients}{resolver}"""

NETWORKD = """net_id: "{a[net_id]}"
database: {dir}/networkd.db
semtech_udp:
  bind: 127.0.0.1:0
network:
  region: EU868
  deduplication_delay: 100ms
  device_status_interval: 0s
join_server:
  resolve_join_eui_domain_suffix: {join_eui_suffix}
  tls_cert: {a_ns[client_prefix]}.pem
  tls_key: {a_ns[client_prefix]}-key.pem
  dane_client_name: {a_ns[client_name]}
api:
  bind: {a_ns[address]}:{a_ns[port]}
  tls_cert: {a_ns[server_prefix]}.pem
  tls_key: {a_ns[server_prefix]}-key.pem
clients:
  - name: {b_as[client_name]}
{networkd}{resolver}"""

APPLICATIOND = """as_id: {b_as[host]}
database: {dir}/applicationd.db
events: {events}
command_socket: {dir}/applicationd.sock
backend_interfaces:
  bind: {b_as[address]}:{b_as[port]}
  tls_cert: {b_as[server_prefix]}.pem
  tls_key: {b_as[server_prefix]}-key.pem
clients:
  - name: {a_ns[client_name]}
{clients}join_server:
  resolve_join_eui_domain_suffix: {join_eui_suffix}
  tls_cert: {b_as[client_prefix]}.pem
  tls_key: {b_as[client_prefix]}-key.pem
  dane_client_name: {b_as[client_name]}
network_server:
  resolve_net_id_domain_suffix: {net_id_suffix}
  port: {a_ns[port]}
applications:
  - id: metering
    name: Metering of organisation B
    accept_unknown: true
{devices}{resolver}"""

RESOLVER = """resolver:
  helper: {resolverd}
  deadline_ms: 4000
  trust_anchor_file: {lab[trust_anchor_file]}
  forward: ["{lab[dns_address]}@{lab[dns_port]}"]
"""


class Failed(Exception):
    pass


def wait_for(what, question, seconds=PATIENCE):
    """The first true answer of question(); Failed after seconds."""
    end = time.monotonic() + seconds
    while True:
        got = question()
        if got:
            return got
        if time.monotonic() > end:
            raise Failed(f"waited {seconds} s for {what}")
        time.sleep(0.05)


class Experiment:
    def __init__(self, build, folder=None, level="info"):
        self.build, self.level = pathlib.Path(build).resolve(), level
        self.made = folder is None
        self.dir = pathlib.Path(folder or tempfile.mkdtemp(prefix="sardane-exp-"))
        self.running, self.extra = {}, {"clients": "", "devices": "", "networkd": "", "joind_clients": "",
            "events": f"{self.dir}/events.jsonl"}

    def program(self, name):
        """sardane is bin/cli/sardane of the build, sardane-joind bin/joind/sardane-joind, ..."""
        folder = "cli" if name == "sardane" else name.removeprefix("sardane-")
        for path in (self.build / "bin" / folder / name, self.build / name):
            if path.exists():
                return str(path)
        return shutil.which(name) or name

    def __enter__(self):
        self.dir.mkdir(exist_ok=True)
        try:
            self.lab_up()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for name in list(self.running):
            self.stop(name)
        subprocess.run([self.program("sardane"), "lab", "down", "--dir", self.dir / "lab"],
            capture_output=True)
        if self.made:
            shutil.rmtree(self.dir, ignore_errors=True)

    def run(self, *words, check=True, **kwargs):
        """sardane WORDS; its result, Failed when it says no."""
        r = subprocess.run([self.program("sardane"), *map(str, words)], capture_output=True, text=True, **kwargs)
        if check and r.returncode:
            raise Failed(f"sardane {' '.join(map(str, words))}: exit {r.returncode}: {r.stderr.strip()}")
        return r

    def lab_up(self):
        self.lab = json.loads(self.run("lab", "up", "--dir", self.dir / "lab", "--json").stdout)
        self.a, self.b = (self.lab["organisations"][x] for x in "ab")
        self.words = {"dir": self.dir, "lab": self.lab, "a": self.a, "b": self.b,
            "join_eui_suffix": self.lab["join_eui_suffix"], "net_id_suffix": self.lab["net_id_suffix"],
            "resolverd": self.program("sardane-resolverd")}
        for org in "ab":
            for role in ("ns", "js", "as"):
                self.words[f"{org}_{role}"] = self.lab["organisations"][org][role]
        self.words["resolver"] = RESOLVER.format(**self.words)

    def config(self, name):
        return self.dir / f"{name}.yaml"

    def write_config(self, name):
        template = {"joind": JOIND, "networkd": NETWORKD, "applicationd": APPLICATIOND}[name]
        self.config(name).write_text(template.format(**{**self.words, **self.extra}))

    def add_device(self, dev_eui, app_key, nwk_key=None, version="1.0.3", net_id=None):
        """A device of organisation B that A's network may ask for; also names it to the AS."""
        if not self.config("joind").exists():
            self.write_config("joind")
        host = self.b["as"]
        words = ["device", "add", dev_eui, "--join-eui", self.b["join_eui"], "--version", version,
            "--net-id", net_id or self.a["net_id"], "--as-id", host["host"], "--application-server",
            f"https://{host['host']}:{host['port']}", "--config", self.config("joind"), "--app-key", app_key]
        self.run(*words, *(["--nwk-key", nwk_key] if nwk_key else []))
        if not self.extra["devices"]:
            self.extra["devices"] = "    devices:\n"
        self.extra["devices"] += f"      - {{dev_eui: \"{dev_eui}\", join_eui: \"{self.b['join_eui']}\", name: \"device {version}\", tags: [{{key: org, value: b}}]}}\n"

    def start(self, *names):
        for name in names:
            self.write_config(name)
            log = open(self.log(name), "a")
            self.running[name] = subprocess.Popen([self.program(f"sardane-{name}"), "--config",
                str(self.config(name)), "--log-level", self.level], stderr=log, stdin=subprocess.DEVNULL)
            log.close()
            self.wait_log(name, rf" {name}\.ready ")

    def stop(self, name, number=signal.SIGTERM):
        """The exit status of a server, ended by its id."""
        process = self.running.pop(name)
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def restart(self, name, number=signal.SIGTERM):
        self.stop(name, number)
        os.rename(self.log(name), f"{self.log(name)}.{time.monotonic_ns()}")
        self.start(name)

    def log(self, name):
        return self.dir / f"{name}.log"

    def log_text(self, name):
        return self.log(name).read_text(errors="replace") if self.log(name).exists() else ""

    def wait_log(self, name, pattern, seconds=PATIENCE):
        def question():
            if name in self.running and self.running[name].poll() is not None:
                raise Failed(f"{name} ended: {self.log_text(name)[-2000:]}")
            return re.search(pattern, self.log_text(name))
        return wait_for(f"'{pattern}' in {name}'s log", question, seconds)

    def udp_port(self):
        return self.wait_log("networkd", r"networkd\.ready .*\bport=(\d+)")[1]

    def simulate_start(self, *words):
        """A simulation of one device of organisation B, as a process whose standard output is JSON."""
        return subprocess.Popen([self.program("sardane"), "simulate", "--server", f"127.0.0.1:{self.udp_port()}",
            "--join-eui", self.b["join_eui"], "--json", *map(str, words)], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)

    def simulate(self, *words):
        return self.simulated(self.simulate_start(*words))

    def simulated(self, p):
        """What a simulation that was started came to."""
        out, err = p.communicate(timeout=PATIENCE * 2)
        if not out.strip():
            raise Failed(f"simulate: exit {p.returncode}: {err.strip()}")
        return {"exit": p.returncode, **json.loads(out)}

    def events(self):
        path = self.dir / "events.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def event(self, kind, dev_eui, skip=0, seconds=PATIENCE):
        """The event of this kind and device, after skip others like it."""
        def question():
            found = [e for e in self.events() if e["event"] == kind and e["deviceInfo"]["devEui"] == dev_eui]
            return found[skip] if len(found) > skip else None
        return wait_for(f"event {kind} of {dev_eui}", question, seconds)

    def downlink(self, dev_eui, payload, port=10, confirmed=False, id=None):
        words = ["downlink", "--socket", self.dir / "applicationd.sock", "--dev-eui", dev_eui, "--port", port,
            "--hex", payload.hex(), *(["--confirmed"] if confirmed else []), *(["--id", id] if id else [])]
        return self.run(*words).stdout.strip()


if __name__ == "__main__":
    with Experiment(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None) as e:
        e.start("joind", "networkd", "applicationd")
        print(f"dir={e.dir} udp_port={e.udp_port()}", flush=True)
        sys.stdin.read()
