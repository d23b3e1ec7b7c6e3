#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sardane ca, cert and tlsa against what the openssl program says.  usage: issue.sh TAP_SH SARDANE
# shellcheck source=tests/lib/tap.sh
. "$1"
sardane=$2
cd "$scratch" || exit 1

exits 0 "a root is made" "$sardane" ca init root --name "Root A" --org "A"
exits 0 "an intermediate is made" "$sardane" ca intermediate int --ca root --name "Issuing A"
is "$(stat -c %a root/ca-key.pem int/ca-key.pem | tr '\n' ' ')" "600 600 " "keys are private"
exits 0 "openssl verifies the intermediate, strictly" \
	openssl verify -x509_strict -CAfile root/ca.pem int/ca.pem
for key in p256 ed25519 rsa2048 rsa3072; do
	exits 0 "a $key leaf is issued" "$sardane" cert issue --ca int --role both --key $key \
		--dns _ns-client.ns.a.example --dns ns.a.example \
		--dns f.2.0.0.0.0.0.0.0.1.e.5.0.0.0.0.joineuis.registry.example --out x-$key
	for purpose in sslserver sslclient; do
		exits 0 "openssl verifies the $key leaf as $purpose" openssl verify -x509_strict \
			-purpose $purpose -verify_hostname ns.a.example \
			-CAfile root/ca.pem -untrusted x-$key-combined.pem x-$key.pem
	done
	is "$(openssl pkey -in x-$key-key.pem -pubout)" "$(openssl x509 -in x-$key.pem -noout -pubkey)" \
		"the $key key fits its certificate"
done
is "$(cat x-p256.pem int/ca.pem)" "$(cat x-p256-combined.pem)" "combined is leaf and intermediate"
is "$(cat int/ca.pem root/ca.pem)" "$(cat x-p256-chain.pem)" "the chain goes up to the root"
exits 0 "a client leaf is issued" "$sardane" cert issue --ca int --role client --dns c.a.example --out c
exits 2 "openssl refuses the client leaf as a server" \
	openssl verify -purpose sslserver -CAfile root/ca.pem -untrusted int/ca.pem c.pem
exits 0 "a key is certified again" "$sardane" cert issue --ca int --dns c.a.example \
	--key-file c-key.pem --out c --force
is "$(openssl x509 -in c.pem -noout -pubkey)" "$(openssl pkey -in c-key.pem -pubout)" \
	"and it is the same key"

before=$(sha256sum x-p256-key.pem)
exits 2 "an existing key is not overwritten" "$sardane" cert issue --ca int --dns a.example --out x-p256
like "$out" "^sardane cert issue: file 'x-p256.pem': exists already" "and the words name the file"
is "$(sha256sum x-p256-key.pem)" "$before" "it is untouched"
exits 2 "an existing root is not overwritten" "$sardane" ca init root --name R
exits 0 "--force replaces a root" "$sardane" ca init root2 --name R
exits 0 "--force replaces a root, again" "$sardane" ca init root2 --name R --force
exits 2 "an issuer must leave room" "$sardane" ca intermediate int2 --ca int --name I
is "$([ -e int2 ] && echo there)" "" "and nothing is left of the attempt"
chmod 644 int/ca-key.pem
exits 2 "a key others can read is refused" "$sardane" cert issue --ca int --dns a.example --out y
chmod 600 int/ca-key.pem
exits 2 "a bad name is refused" "$sardane" cert issue --ca int --dns 'a b' --out y
exits 2 "a missing authority is named" "$sardane" cert issue --ca nowhere --dns a.example --out y
like "$out" "'nowhere/ca.pem': No such file" "with its file"
exits 2 "days must be a number" "$sardane" cert issue --ca int --dns a.example --out y --days 1e3
exits 2 "an unknown option is refused" "$sardane" ca init z --name Z --frob
like "$out" "option '--frob': unknown" "by its name"
exits 2 "a missing value is refused" "$sardane" ca init z --name
exits 2 "an unknown key kind is refused" "$sardane" ca init z --name Z --key dsa
is "$(find . -name 'y*' -o -name 'z*')" "" "and none of them wrote a file"

# every usage, selector and matching type against digests that openssl computes
digest() { # MATCHING FILE.der
	case $1 in
	0) od -An -v -tx1 "$2" | tr -d ' \n' ;;
	1) openssl dgst -sha256 -r "$2" | cut -d' ' -f1 ;;
	2) openssl dgst -sha512 -r "$2" | cut -d' ' -f1 ;;
	esac
}
openssl x509 -in x-p256.pem -outform DER -out 0.der
openssl pkey -in x-p256-key.pem -pubout -outform DER -out 1.der
openssl pkey -in x-p256-key.pem -pubout -out pub.pem
for usage in 0 1 2 3; do
	for selector in 0 1; do
		for matching in 0 1 2; do
			is "$("$sardane" tlsa generate --cert x-p256.pem --usage $usage --selector $selector \
				--matching $matching)" "$usage $selector $matching $(digest $matching $selector.der)" \
				"TLSA $usage $selector $matching is what openssl computes"
		done
	done
done
want="3 1 1 $(digest 1 1.der)"
for file in pub.pem 1.der x-p256-key.pem; do
	is "$("$sardane" tlsa generate --pubkey $file)" "$want" "a bare key in $file gives 3 1 1"
done
is "$("$sardane" tlsa generate --cert 0.der --host js.b.example --port 8003 --ttl 60)" \
	"_8003._tcp.js.b.example. 60 IN TLSA $want" "the owner of a server is built"
is "$("$sardane" tlsa generate --cert x-p256.pem --name _ns-client.ns.a.example)" \
	"_ns-client.ns.a.example. IN TLSA $want" "the owner of a client is taken"
is "$("$sardane" tlsa generate --cert x-p256.pem --usage DANE-EE --selector SPKI --matching SHA2-256)" \
	"$want" "the words of RFC 7218 are understood"
exits 2 "a bare key has no selector 0" "$sardane" tlsa generate --pubkey pub.pem --selector 0
exits 2 "a host needs a port" "$sardane" tlsa generate --cert x-p256.pem --host a.example
exits 2 "usage 4 is refused" "$sardane" tlsa generate --cert x-p256.pem --usage 4
exits 2 "a key is no certificate" "$sardane" tlsa generate --cert pub.pem
done_testing
