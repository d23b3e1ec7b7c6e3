#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A name server that serves a fleet's records under signatures that are not the zone's, or tells of other names.

usage: test_forged.py SARDANE; skipped without named, knotd, kdig
"""
import contextlib, socket, subprocess, sys, threading

from publishlab import Lab, check, done, skip_without

skip_without("named", "knotd", "keymgr", "kdig", "nsupdate", "dnssec-dsfromkey", "ldns-signzone")
SIGNER = b"\x04bind\x07example\x00"


class Forger:
    """Passes questions by TCP on to the true server, and does something to the answers that are of TLSA records."""

    def __init__(self, address, port, to, forge):
        self.listener = socket.create_server((address, port))
        self.to, self.port, self.forge = to, port, forge
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.one, args=(self.listener.accept()[0],), daemon=True).start()

    def one(self, client):
        with contextlib.suppress(OSError), client, socket.create_connection((self.to, self.port)) as server:
            while head := client.recv(2, socket.MSG_WAITALL):
                server.sendall(head + client.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL))
                head = server.recv(2, socket.MSG_WAITALL)
                client.sendall(head + self.forge(server.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)))

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def change(answer, at):
    return answer[:at] + bytes([answer[at] ^ 1]) + answer[at + 1:]


def signature(answer):
    return change(answer, answer.index(SIGNER, 12 + answer[12:].index(b"\0")) + len(SIGNER) + 9) if answer[7] else answer


def longer(answer):
    """The signature's end, a year later."""
    at = answer.index(SIGNER, 12 + answer[12:].index(b"\0")) - 10 if answer[7] else None
    return answer if at is None else answer[:at] + (int.from_bytes(answer[at:at + 4], "big") + 31536000).to_bytes(4, "big") + answer[at + 4:]


with Lab(sys.argv[1], secondary=True) as lab:
    via, csv = lab.via_bind(), lab.dir / "list.csv"
    csv.write_text("name\n" + "".join(f"d{i}._dev.bind.example\n" for i in range(20)))
    lab.second.halt()
    for forge, what in ((signature, "a record under a signature that is not the zone's is not taken for served"),
                        (longer, "nor one whose signature's end was moved")):
        forger = Forger("127.0.0.3", lab.port, "127.0.0.1", forge)
        try:
            rc, said = lab.json("enroll", "--csv", csv, "--via", via, "--wait", 1)
        finally:
            forger.close()
        lying = next(s for s in said["servers"] if "127.0.0.3" in s["server"])
        check(rc == 1 and said["verified"] == 0 and lying["lacking"] == 20 and "is wrong" in lying["why"], what, said)
    lab.second.start()
    rc, said = lab.json("enroll", "--csv", csv, "--via", via)
    check(rc == 0 and said["verified"] == 20, "under the zone's own they are", said)
done()
