#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sardane enroll --csv: a fleet's keys, certificates and records, at BIND with a secondary and at Knot.

usage: test_fleet.py SARDANE; skipped without named, knotd, kdig, nsupdate and openssl
"""
import base64, hashlib, json, pathlib, subprocess, sys

from publishlab import Lab, check, digest, done, skip_without

skip_without("named", "knotd", "keymgr", "kdig", "nsupdate", "dnssec-dsfromkey", "ldns-signzone", "openssl")
SARDANE = sys.argv[1]


def openssl(*words, **more):
    return subprocess.run(["openssl", *map(str, words)], capture_output=True, check=True, **more).stdout


def new_key(path, kind=("EC", "-pkeyopt", "ec_paramgen_curve:P-256")):
    openssl("genpkey", "-algorithm", *kind, "-out", path)
    return openssl("pkey", "-in", path, "-pubout", "-outform", "DER")


def fleet(lab, csv, via, *words):
    return lab.json("enroll", "--csv", csv, "--via", via, *words)


def write(path, *rows):
    path.write_text("\n".join(rows) + "\n")
    return path


with Lab(SARDANE, secondary=True) as lab:
    bind, knot, state, d = lab.via_bind(), lab.via_knot(), lab.dir / "state", lab.dir
    spki = [new_key(d / f"k{i}.pem") for i in range(4)]
    pem = openssl("pkey", "-in", d / "k1.pem", "-pubout", text=True).strip()
    (d / "k2.der").write_bytes(spki[2])
    rows = [f"d{i}._dev.bind.example,," for i in range(4, 30)]
    mixed = write(d / "mixed.csv", "name,tlsa,key", f"D0._dev.bind.example.,3 1 1,{base64.b64encode(spki[0]).decode()}",
                  f'd1._dev.bind.example,,"{pem}"', "d2._dev.bind.example,,@k2.der",
                  f"d3._dev.bind.example,3 1 0,{base64.b64encode(spki[3]).decode()}", *rows)
    got = lab.run("enroll", "--csv", mixed, "--via", bind, "--dry-run")
    check(got.returncode == 0 and got.stdout.count("new d") == 30 and "30 new" in got.stdout and lab.served("d1._dev.bind.example") == [],
          "a dry run tells what would come and changes nothing", got.stdout + got.stderr)
    rc, said = fleet(lab, mixed, bind)
    check(rc == 0 and (said["published"], said["keys"], said["verified"], said["signatures_judged"]) == (30, 26, 30, 30) and
          [s["lacking"] for s in said["servers"]] == [0, 0], "thirty devices, at both servers, every signature verified, the same one once", said)
    sha = [hashlib.sha256(k).hexdigest() for k in spki]
    check([lab.served(f"d{i}._dev.bind.example", "127.0.0.3") for i in range(3)] == [["3 1 1 " + sha[i]] for i in range(3)],
          "keys given as base64, PEM and in a file have 3 1 1")
    full = lab.served("d3._dev.bind.example")[0]
    check(full.replace(" ", "") == "310" + spki[3].hex(), "the column tlsa makes it 3 1 0", full)
    made = state / "devices/d4._dev.bind.example-key.pem"
    public = openssl("pkey", "-in", made, "-pubout", "-outform", "DER")
    check(oct(made.stat().st_mode)[-3:] == "600" and lab.served("d4._dev.bind.example") == ["3 1 1 " + hashlib.sha256(public).hexdigest()],
          "a key that was made is private, and its record fits")
    result = (state / "devices.csv").read_text().splitlines()
    check(result[0] == "name,tlsa,step,serial" and len(result) == 31 and result[1] == f"d0._dev.bind.example,3 1 1 {sha[0]},verified,",
          "what became of each is in a file", result[:3])
    lines = (state / "audit.log").read_text().splitlines()
    check(sum('"tlsa.publish"' in l for l in lines) == 1 and '"added":"30"' in lines[0], "one line of the log for all of them", lines)

    rc, said = fleet(lab, mixed, bind)
    check(rc == 0 and (said["published"], said["new"], said["verified"], said["signatures_judged"]) == (0, 0, 30, 0),
          "the same again changes nothing, and verifies what is not known yet", said)
    check(len((state / "audit.log").read_text().splitlines()) == len(lines), "and writes no line")
    lab.put("delete d5._dev.bind.example TLSA", "delete d6._dev.bind.example TLSA", "add d6._dev.bind.example 60 TLSA " + digest("99"),
            "add d7._dev.bind.example 60 TLSA " + digest("77"))
    rc, said = fleet(lab, mixed, bind)
    check(rc == 0 and said["mended"] == 2 and said["verified"] == 30, "what another took out or changed is seen and mended", said)
    check(len(lab.served("d5._dev.bind.example")) == 1 and digest("99") in lab.served("d6._dev.bind.example") and
          digest("77") in lab.served("d7._dev.bind.example"), "and what another put there stays")
    lab.second.halt()
    rc, said = fleet(lab, mixed, bind, "--wait", 1)
    lacking = {s["server"].split()[0]: s["lacking"] for s in said["servers"]}
    check(rc == 1 and lacking["ns2.bind.example"] == 30 and lacking["ns.bind.example"] == 0, "a server that is away is told", said)
    lab.second.start()

    bad = write(d / "bad.csv", "name,key,tlsa", "ok._dev.bind.example,,", "no*good.bind.example,,", "x.bind.example,,2 1 1", "y.bind.example,AAAA,",
                "ok._dev.bind.example,,", "z.other.example,,", "few.bind.example", 'q.bind.example,"half', *[f"w{i}.bind.example,@none," for i in range(30)])
    got = lab.run("enroll", "--csv", bad, "--via", bind)
    said = got.stderr
    check(got.returncode == 2 and "bad.csv:3: name 'no*good" in said and "bad.csv:4: tlsa '2 1 1'" in said and "bad.csv:6: name 'ok._dev" in said and
          "is in line 2 already" in said and "bad.csv:8: 1 fields where the first line has 3" in said and "bad.csv:9: a quote that does not end" in said,
          "rows that are wrong are told with line, column and reason", said)
    check(lab.served("ok._dev.bind.example") == [] and not (state / "devices/ok._dev.bind.example-key.pem").exists(), "and nothing is changed")
    bad = write(d / "bad2.csv", "name,key", "y.bind.example,AAAA", "z.other.example,", *[f"w{i}.bind.example,@none" for i in range(30)])
    got = lab.run("enroll", "--csv", bad, "--via", bind)
    check(got.returncode == 2 and "w0.bind.example" not in got.stderr and "bad2.csv:4: key '@none'" in got.stderr and "and 10 more" in got.stderr,
          "many of them up to twenty", got.stderr)
    bad = write(d / "bad3.csv", "name,key", "y.bind.example,AAAA", "z.other.example,")
    got = lab.run("enroll", "--csv", bad, "--via", bind)
    check(got.returncode == 2 and "bad3.csv:2: key: not a public key" in got.stderr and "bad3.csv:3: name 'z.other.example': not in the zone" in got.stderr,
          "keys and zones are looked at before anything is changed", got.stderr)
    for words, text in (("column 'colour'", "name,colour\n"), ("'name' is missing", "key\n"), ("empty", "")):
        got = lab.run("enroll", "--csv", write(d / "h.csv", text[:-1]) if text else write(d / "h.csv"), "--via", bind)
        check(got.returncode == 2 and words in got.stderr, f"a first line that is none: {words}", got.stderr)
    for words, argv in (("needs --ca", ("--form", "2 1 1")), ("form '3 0 1'", ("--form", "3 0 1")), ("goes with neither", ("--client",)), ("key kind", ("--key", "dsa"))):
        got = lab.run("enroll", "--csv", mixed, "--via", bind, *argv)
        check(got.returncode == 2 and words in got.stderr, f"bad input: {words}", got.stderr)

    # certificates of the authority in the state folder
    lab.run("ca", "init", state, "--name", "Makers")
    csr = openssl("req", "-new", "-key", d / "k0.pem", "-subj", "/", "-addext", "subjectAltName=DNS:c0._cert.example", "-outform", "DER")
    alien = openssl("req", "-new", "-key", d / "k0.pem", "-subj", "/", "-addext", "subjectAltName=DNS:other.example", "-outform", "DER")
    certs = write(d / "certs.csv", "name,request,key", f"c0._cert.example,{base64.b64encode(csr).decode()},", f"c1._cert.example,,{base64.b64encode(spki[1]).decode()}",
                  "c2._cert.example,,", "c3._cert.example,,")
    rc, said = fleet(lab, certs, knot, "--ca", "--days", 9)
    check(rc == 0 and said["certificates"] == 4 and said["keys"] == 2 and said["verified"] == 4, "certificates for a request, a key, and keys made here", said)
    for i in range(4):
        cert = state / f"devices/c{i}._cert.example.pem"
        got = subprocess.run(["openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", state / "ca.pem", cert], capture_output=True, text=True)
        san = openssl("x509", "-in", cert, "-noout", "-ext", "subjectAltName", text=True)
        check(got.returncode == 0 and f"DNS:c{i}._cert.example\n" in san, f"certificate {i} is verified by openssl, for its own name", got.stderr + san)
    listed = json.loads(lab.run("cert", "list", "--ca", state, "--json").stdout)
    check(sum("_cert.example" in str(c) for c in listed) == 4, "the ledger has them", listed)
    issued = [l for l in (state / "audit.log").read_text().splitlines() if '"cert.issue"' in l]
    check(len(issued) == 1 and '"count":"4"' in issued[0], "and the log one line", issued)
    before = {p.name: p.read_text() for p in (state / "devices").glob("c*")}
    rc, said = fleet(lab, certs, knot, "--ca", "--days", 9)
    check(rc == 0 and said["certificates"] == 0 and before == {p.name: p.read_text() for p in (state / "devices").glob("c*")}, "again: none is issued", said)
    rc, said = fleet(lab, write(d / "alien.csv", "name,request", f"c9._cert.example,{base64.b64encode(alien).decode()}"), knot, "--ca")
    check(rc == 2 and "alien.csv:2: request: request: asks for another name" in said, "a request for another name is refused", said)

    # one record for all: a wildcard of the authority, a literal name in each certificate
    wild = write(d / "wild.csv", "name", *[f"w{i}._fleet.example" for i in range(12)])
    rc, said = fleet(lab, wild, knot, "--ca", "--form", "2 1 1")
    check(rc == 0 and (said["certificates"], said["published"], said["verified"]) == (12, 1, 12) and said["signatures_judged"] == 1,
          "twelve devices below one record, whose signature is verified once", said)
    san = openssl("x509", "-in", state / "devices/w3._fleet.example.pem", "-noout", "-ext", "subjectAltName", text=True)
    check("DNS:w3._fleet.example\n" in san and "*" not in san, "each certificate has its own name and no wildcard", san)
    rc, said = fleet(lab, wild, knot, "--ca", "--form", "2 1 1")
    check(rc == 0 and said["published"] == 0 and said["verified"] == 12, "again: no change", said)
    lab.put("add w5._fleet.example 60 TXT hello", server="127.0.0.2", zone="example")
    rc, said = fleet(lab, wild, knot, "--ca", "--form", "2 1 1", "--wait", 1)
    check(rc == 1 and said["verified"] == 11 and "w5._fleet.example': no record" in said["servers"][0]["why"], "a name that keeps the wildcard away is seen", said)
    lab.put("delete w5._fleet.example TXT", server="127.0.0.2", zone="example")
    got = lab.run("enroll", "--csv", write(d / "two.csv", "name", "a._x.example", "b._y.example"), "--via", knot, "--ca", "--form", "2 1 1")
    check(got.returncode == 2 and "two.csv:3: name 'b._y.example': not below" in got.stderr, "one wildcard has one parent", got.stderr)

    for name, what in (("*._fleet.example", "the record of all"), ("c2._cert.example", "that of a device")):
        got = lab.run("publish", name, "--via", knot, "--tlsa", digest("55"))
        check(got.returncode == 2 and "is of a fleet" in got.stderr, f"publish does not take {what} away", got.stderr)

    # one device is cut off, and let in again
    zeros = digest("00")
    rc, said = lab.json("revoke", "w7._fleet.example", "--via", knot, "--reason", "keyCompromise", "--margin", 0)
    check(rc == 0 and said["device"] and said["certificate_revoked"] and lab.served("w7._fleet.example", "127.0.0.2") == [zeros],
          "a device of the wildcard gets a record that fits no key, and its certificate is revoked", said)
    check(lab.served("w8._fleet.example", "127.0.0.2") != [zeros] and len(lab.served("w8._fleet.example", "127.0.0.2")) == 1, "the others are not touched")
    lab.run("ca", "crl", state, "--out", d / "crl.pem")
    serial = openssl("x509", "-in", state / "devices/w7._fleet.example.pem", "-noout", "-serial", text=True).strip().split("=")[1]
    crl = openssl("crl", "-in", d / "crl.pem", "-noout", "-text", text=True)
    check(serial.upper() in crl.upper().replace(":", "") and "Key Compromise" in crl, "the CRL has it", crl)
    rc, said = fleet(lab, wild, knot, "--ca", "--form", "2 1 1")
    check(rc == 0 and (said["cut_off"], said["published"], said["mended"], said["verified"]) == (1, 0, 0, 12) and lab.served("w7._fleet.example", "127.0.0.2") == [zeros],
          "the list does not bring it back, and sees that it is out", said)
    lab.put("delete w7._fleet.example TLSA", server="127.0.0.2", zone="example")
    rc, said = fleet(lab, wild, knot, "--ca", "--form", "2 1 1")
    check(rc == 0 and said["mended"] == 1 and lab.served("w7._fleet.example", "127.0.0.2") == [zeros], "should another let it in, it is put out again", said)
    rc, said = lab.json("revoke", "w7._fleet.example", "--via", knot, "--undo")
    check(rc == 0 and said["let_in"] and lab.served("w7._fleet.example", "127.0.0.2") == lab.served("w8._fleet.example", "127.0.0.2"), "undone, the wildcard is back", said)
    rc, said = fleet(lab, wild, knot, "--ca", "--form", "2 1 1")
    again = openssl("x509", "-in", state / "devices/w7._fleet.example.pem", "-noout", "-serial", text=True).strip().split("=")[1]
    check(rc == 0 and said["certificates"] == 1 and again != serial, "and the list gives it a new certificate", said)
    got = lab.run("revoke", "w7._fleet.example", "--via", knot, "--undo")
    check(got.returncode == 2 and "no device of a fleet that is cut off" in got.stderr, "undone twice is told", got.stderr)
    rc, said = lab.json("revoke", "c2._cert.example", "--via", knot, "--margin", 0)
    check(rc == 0 and said["removed"] == 1 and lab.served("c2._cert.example", "127.0.0.2") == [], "one with a record of its own loses it", said)
    rc, said = fleet(lab, certs, knot, "--ca", "--days", 9)
    check(rc == 0 and said["cut_off"] == 1 and said["published"] == 0 and lab.served("c2._cert.example", "127.0.0.2") == [], "and the list leaves it out", said)

    # other ways into a zone
    fragment = d / "fragment"
    file = lab.via("file", f"  backend: fragment\n  zone: bind.example\n  file: {fragment}", state="state2")
    rc, said = fleet(lab, mixed, file, "--wait", 0)
    check(rc == 1 and said["published"] == 30 and fragment.read_text().count("TLSA") == 30, "a file for $INCLUDE has them all; no server yet", said)
    got = lab.run("audit", "verify", "--state", state)
    check(got.returncode == 0, "the audit log is whole", got.stdout)
done()
