#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What an authority issued: listed, renewed, requested, constrained, revoked, against what the
# openssl program says.  usage: book.sh TAP_SH SARDANE
# shellcheck source=tests/lib/tap.sh
. "$1"
sardane=$2
cd "$scratch" || exit 1
unset SARDANE_PASSWORD_FILE
json() { python3 -c "import json, sys; v = json.load(sys.stdin); print($1)"; }
serial() { openssl x509 -in "$1" -noout -serial | cut -d= -f2 | tr A-F a-f; }

# names within constraints
"$sardane" ca init root --name "Root A" >/dev/null
exits 0 "an intermediate is constrained" "$sardane" ca intermediate int --ca root \
	--name "Issuing A" --permit a.example --exclude lab.a.example --key p384
exits 0 "a leaf within is issued" "$sardane" cert issue --ca int --dns js.a.example --out js
exits 0 "and openssl agrees" openssl verify -x509_strict -CAfile root/ca.pem -untrusted int/ca.pem js.pem
for name in js.b.example x.lab.a.example; do
	exits 2 "$name is outside" "$sardane" cert issue --ca int --dns $name --out "bad-$name"
	like "$out" "name '$name': outside the constraints" "and named"
done
exits 2 "an address is outside too" "$sardane" cert issue --ca int --dns x.a.example --ip 192.0.2.1 --out bad-ip
is "$(find . -name 'bad*')" "" "what is outside is not written"
# the same authority's key, without our check
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout o.key -out o.csr \
	-subj / -addext subjectAltName=DNS:js.b.example 2>/dev/null
openssl x509 -req -in o.csr -CA int/ca.pem -CAkey int/ca-key.pem -copy_extensions copy -out o.pem 2>/dev/null
exits 2 "what we refuse openssl refuses" openssl verify -CAfile root/ca.pem -untrusted int/ca.pem o.pem
like "$out" "permitted subtree violation" "for the same reason"

# profiles
cat >profiles.yaml <<'YAML'
profiles:
  - name: device
    for: client
    lifetime: 12h
    backdate: 1m
    key_usage: [digitalSignature, keyAgreement]
    extended_key_usage: [clientAuth, emailProtection]
  - name: site
    for: ca
    lifetime: 30d
    path_length: 0
    permitted: [site.a.example]
YAML
exits 0 "a leaf of a profile" "$sardane" cert issue --ca root --profiles profiles.yaml --profile device \
	--dns d1._device.a.example --out d1
is "$(openssl x509 -in d1.pem -noout -ext keyUsage,extendedKeyUsage | sed 's/^ *//' | tr '\n' '|')" \
	"X509v3 Key Usage: critical|Digital Signature, Key Agreement|X509v3 Extended Key Usage: |TLS Web Client Authentication, E-mail Protection|" \
	"has its usages"
start=$(date -d "$(openssl x509 -in d1.pem -noout -startdate | cut -d= -f2)" +%s)
end=$(date -d "$(openssl x509 -in d1.pem -noout -enddate | cut -d= -f2)" +%s)
is $((end - start)) 43260 "and its life and backdate"
exits 2 "the command line cannot lengthen it" "$sardane" cert issue --ca root --profiles profiles.yaml \
	--profile device --days 2 --dns d2.a.example --out d2
exits 0 "an authority of a profile" "$sardane" ca intermediate site --ca root --name Site \
	--profiles profiles.yaml --profile site
exits 2 "is held to its constraint" "$sardane" cert issue --ca site --dns d.a.example --out bad
exits 2 "a profile that is not there is named" "$sardane" cert issue --ca root --profile nope --dns d.a.example --out bad
like "$out" "profile 'nope'" "by its name"
sed 's/keyAgreement/keyAgreements/' profiles.yaml >bad.yaml
exits 2 "a word that is none is refused" "$sardane" cert issue --ca root --profiles bad.yaml --profile device --dns d.a.example --out bad
like "$out" "bad.yaml: profile 'device': key usage 'keyAgreements'" "with file, profile and field"
sed 's/name: site/name: device/' profiles.yaml >bad.yaml
exits 2 "a profile given twice is refused" "$sardane" cert issue --ca root --profiles bad.yaml --profile device --dns d.a.example --out bad
like "$out" "bad.yaml: profile 'device': given twice" "by its name"
sed 's/lifetime/lifetimes/' profiles.yaml >bad.yaml
exits 2 "a key that is none is refused" "$sardane" cert issue --ca root --profiles bad.yaml --profile device --dns d.a.example --out bad
like "$out" "bad.yaml:4" "with its line"

# requests
exits 0 "a request is made" "$sardane" cert request --dns _c.a.example --dns c.a.example --name Mine --key ed25519 --out c
exits 0 "openssl finds it self-signed" openssl req -in c.csr -noout -verify
exits 0 "and is signed" "$sardane" cert sign --ca int --csr c.csr --role client --out c
is "$(openssl x509 -in c.pem -noout -subject -ext subjectAltName | tr -d '\n' | tr -s ' ')" \
	"subject=X509v3 Subject Alternative Name: critical DNS:_c.a.example, DNS:c.a.example" \
	"names are taken, the subject is not"
openssl req -new -newkey rsa:2048 -nodes -keyout e.key -out e.csr -subj /CN=Evil \
	-addext subjectAltName=DNS:e.a.example -addext basicConstraints=critical,CA:TRUE \
	-addext keyUsage=keyCertSign 2>/dev/null
exits 0 "a request that asks to be an authority" "$sardane" cert sign --ca int --csr e.csr --role server --out e
is "$(openssl x509 -in e.pem -noout -ext basicConstraints,keyUsage | grep -v X509 | tr -s ' \n')" \
	" CA:FALSE
 Digital Signature, Key Encipherment" "is not made one"
openssl req -in c.csr -outform DER -out c.der
# Another octet than was there, whatever was: one of the signature.
python3 -c 'import sys; d = bytearray(open("c.der", "rb").read()); d[-5] ^= 1; open("c.der", "wb").write(d)'
exits 2 "a request not signed by its key is refused" "$sardane" cert sign --ca int --csr c.der --out bad
like "$out" "'c.der': request: its signature is not by its key" "for that"
openssl req -new -newkey rsa:1024 -nodes -keyout w.key -out w.csr -subj / -addext subjectAltName=DNS:w.a.example 2>/dev/null
exits 2 "a weak key is refused" "$sardane" cert sign --ca int --csr w.csr --out bad

# list, show, renew
is "$("$sardane" cert list --ca int --name '*c.a.example' | wc -l)" 1 "a pattern finds names"
is "$("$sardane" cert list --ca root --json | json 'sorted((c["profile"], c["status"]) for c in v)')" \
	"[('ca', 'valid'), ('device', 'valid'), ('root', 'valid'), ('site', 'valid')]" "the list in JSON"
is "$("$sardane" cert list --ca root --expires-within 30d --json | json '[c["names"] for c in v]')" \
	"[['d1._device.a.example'], []]" "what ends within thirty days"
exits 0 "show by file" "$sardane" cert show js.pem --ca int
like "$out" "status +valid" "says that it is valid"
is "$("$sardane" cert show "$(serial js.pem)" --ca int --json | json 'v["der"]' | base64 -d | openssl x509 -inform DER -noout -serial)" \
	"$(openssl x509 -in js.pem -noout -serial)" "show by serial has the certificate"
exits 1 "what is not there is told" "$sardane" cert show 0a0b --ca int
before=$(openssl x509 -in js.pem -noout -pubkey) old=$(serial js.pem)
exits 0 "renewal" "$sardane" cert renew js --ca int
is "$(openssl x509 -in js.pem -noout -pubkey)" "$before" "keeps the key"
is "$([ "$(serial js.pem)" != "$old" ] && cat js.pem int/ca.pem)" "$(cat js-combined.pem)" "and changes the certificate everywhere"
exits 0 "renewal with a new key" "$sardane" cert renew js --ca int --new-key --key p256
is "$([ "$(openssl x509 -in js.pem -noout -pubkey)" != "$before" ] && openssl pkey -in js-key.pem -pubout)" \
	"$(openssl x509 -in js.pem -noout -pubkey)" "changes both"
exits 2 "what another issued is not renewed" "$sardane" cert renew d1 --ca int

printf 'extendedKeyUsage=serverAuth,1.3.6.1.5.5.7.3.17,1.2.3.4\nsubjectAltName=DNS:k.a.example\ncrlDistributionPoints=URI:http://a.example/crl\nkeyUsage=critical,digitalSignature\n' >k.ext
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k-key.pem -out k.csr -subj / 2>/dev/null
chmod 600 k-key.pem
openssl x509 -req -in k.csr -CA int/ca.pem -CAkey int/ca-key.pem -days 9 -extfile k.ext -out k.pem 2>/dev/null
usages() { openssl x509 -in "$1" -noout -ext keyUsage,extendedKeyUsage | sort; }
before=$(usages k.pem)
exits 0 "what others made with our key is renewed" "$sardane" cert renew k --ca int
is "$(usages k.pem)" "$before" "with every usage it had"
like "$out" "not kept: X509v3 CRL Distribution Points" "and what is not kept is named"
is "$(openssl x509 -in k.pem -noout -ext crlDistributionPoints 2>&1 | grep -c URI)" 0 "as it is not"

# revoke
exits 0 "revoke" "$sardane" cert revoke js.pem --ca int --reason keyCompromise
exits 1 "twice is no" "$sardane" cert revoke js.pem --ca int
exits 1 "an unknown one is no" "$sardane" cert revoke 0a0b --ca int
exits 2 "a reason that is none is refused" "$sardane" cert revoke js.pem --ca int --reason bored
exits 2 "the revoked is not renewed" "$sardane" cert renew js --ca int
exits 0 "the list is signed" "$sardane" ca crl int --life 12h
"$sardane" ca crl root >/dev/null
exits 2 "openssl sees it revoked" openssl verify -crl_check_all -CAfile root/ca.pem -untrusted int/ca.pem \
	-CRLfile <(cat int/ca-crl.pem root/ca-crl.pem) js.pem
like "$out" "certificate revoked" "for that reason"
exits 0 "and the other not" openssl verify -crl_check_all -CAfile root/ca.pem -untrusted int/ca.pem \
	-CRLfile <(cat int/ca-crl.pem root/ca-crl.pem) c.pem
is "$("$sardane" cert list --ca int --revoked --json | json '[(c["names"], c["reason"]) for c in v]')" \
	"[(['js.a.example'], 'keyCompromise')]" "the list knows"
is "$("$sardane" ca show int --json | json '(v["kind"], v["key"], v["issued"], v["revoked"], v["crl_number"])')" \
	"('intermediate', 'p384', 6, 1, 1)" "show counts"

# passwords
printf 'horse battery\n' >pw
printf 'another one\n' >wrong
exits 2 "a password file others can read is refused" "$sardane" ca init sec --name S --new-password-file pw
like "$out" "lets others at it" "for that"
chmod 600 pw wrong
exits 0 "an encrypted root" "$sardane" ca init sec --name S --new-password-file pw
like "$(cat sec/ca-key.pem)" "BEGIN ENCRYPTED PRIVATE KEY" "is encrypted"
like "$(openssl asn1parse -in sec/ca-key.pem)" "aes-256-cbc" "with AES-256"
is "$(openssl pkey -in sec/ca-key.pem -passin file:pw -pubout)" "$(openssl x509 -in sec/ca.pem -noout -pubkey)" "openssl opens it"
exits 2 "without a password it does not sign" setsid -w "$sardane" cert issue --ca sec --dns a.example --out s
like "$out" "needs a password" "and says so"
exits 2 "nor with a wrong one" "$sardane" cert issue --ca sec --dns a.example --out s --password-file wrong
like "$out" "the password does not fit" "and says so"
exits 0 "with it it does, and encrypts the leaf's key" "$sardane" cert issue --ca sec --dns a.example --out s \
	--password-file pw --new-password-file wrong
is "$(openssl pkey -in s-key.pem -passin file:wrong -pubout)" "$(openssl x509 -in s.pem -noout -pubkey)" "under its own"
exits 0 "the environment names the file too" env SARDANE_PASSWORD_FILE=pw "$sardane" ca crl sec

# on a terminal, which python plays: nothing typed is shown
cat >terminal.py <<'PY'
import os, pty, sys
answers, pid_fd = sys.argv[1].encode().split(b"|"), pty.fork()
if pid_fd[0] == 0:
    os.execv(sys.argv[2], sys.argv[2:])
seen = b""
while True:
    try:
        got = os.read(pid_fd[1], 4096)
    except OSError:
        break
    if not got:
        break
    seen += got
    if answers and seen.rstrip(b" ").endswith(b":") and got.rstrip(b" ").endswith(b":"):
        os.write(pid_fd[1], answers.pop(0) + b"\n")
sys.stdout.write(seen.decode().replace("\r", ""))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid_fd[0], 0)[1]))
PY
exits 0 "a terminal is asked twice for a new password" python3 terminal.py "typed here|typed here" \
	"$sardane" ca init typed --name T --encrypt
like "$out" "New password for key 'typed/ca-key.pem'" "for which key"
is "$([[ $out == *"typed here"* ]] && echo shown)" "" "what is typed is not shown"
is "$(openssl pkey -in typed/ca-key.pem -passin "pass:typed here" -pubout)" \
	"$(openssl x509 -in typed/ca.pem -noout -pubkey)" "and is the password"
exits 2 "two that differ are refused" python3 terminal.py "one|other" "$sardane" ca init typo --name T --encrypt
like "$out" "the two passwords differ" "for that"
exits 0 "once for one that is read" python3 terminal.py "typed here" "$sardane" cert issue --ca typed --dns a.example --out t

# several at once
for n in 1 2 3 4 5 6; do
	"$sardane" cert issue --ca site --dns "p$n.site.a.example" --out "p$n" >/dev/null 2>"p$n.err" &
done
wait
is "$("$sardane" cert list --ca site --name 'p?.site.a.example' | wc -l)" 6 "six at once are six in the ledger"
is "$("$sardane" audit show --state site --act cert | wc -l)" 6 "and six in the log"
is "$(cat p?.err)" "" "and none complains"

# an older folder, and the log
rm -f root/ca.db* root/audit.*
exits 0 "a folder without records is taken over" "$sardane" cert issue --ca root --dns o.example --out old
is "$("$sardane" cert list --ca root | wc -l)" 1 "and has a ledger again"
exits 0 "what it issued before is revoked by its file" "$sardane" cert revoke d1.pem --ca root
is "$("$sardane" cert list --ca root --revoked --json | json '[(c["names"], c["profile"]) for c in v]')" \
	"[(['d1._device.a.example'], 'unknown')]" "and is in the ledger since"
exits 2 "what another signed is not" "$sardane" cert revoke js.pem --ca root
like "$out" "'js.pem': was not issued by 'root/ca.pem'" "and the words say so"
for ca in root int site sec; do
	exits 0 "the log of $ca is whole" "$sardane" audit verify --state $ca
done
head=$("$sardane" audit verify --state int | sed -n 's/^head //p')
like "$("$sardane" audit show --state int --act cert)" "cert.revoke +$(serial js.pem)" "acts are there"
sed -i '3d' int/audit.log
exits 1 "a line taken out is found" "$sardane" audit verify --state int
like "$out" "line 3: has number 4" "and named"
exits 2 "and nothing more is issued beside it" bash -c "sed -i '\$d' int/audit.log; '$sardane' cert issue --ca int --dns n.a.example --out n"
like "$out" "its last line is not the one" "since the log is not whole"
exits 1 "a noted head is missed" "$sardane" audit verify --state int --head "$head"
done_testing
