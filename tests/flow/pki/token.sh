#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A root whose key is in a PKCS#11 token (SoftHSM) and never on the disk as a file of ours.
# usage: token.sh TAP_SH SARDANE; skipped without SoftHSM, OpenSC and the engine
# shellcheck source=tests/lib/tap.sh
. "$1"
sardane=$2
module=$(find /usr/lib -name libsofthsm2.so 2>/dev/null | head -n 1)
engine=$(find /usr/lib -path '*engines-3*' -name pkcs11.so 2>/dev/null | head -n 1)
for there in "$module" "$engine" "$(command -v softhsm2-util)" "$(command -v pkcs11-tool)"; do
	[ -n "$there" ] || { echo "1..0 # SKIP SoftHSM, OpenSC or OpenSSL's engine pkcs11 is not installed"; exit 0; }
done
cd "$scratch" || exit 1
export SOFTHSM2_CONF=$scratch/softhsm.conf
unset SARDANE_PASSWORD_FILE
mkdir tokens
echo "directories.tokendir = $scratch/tokens" >"$SOFTHSM2_CONF"
softhsm2-util --init-token --free --label lab --so-pin 87654321 --pin 4711 >/dev/null
id=0
for kind in EC:prime256v1 rsa:2048; do
	id=$((id + 1))
	pkcs11-tool --module "$module" --token-label lab --login --pin 4711 --keypairgen --key-type $kind \
		--label "root ${kind%%:*}" --id 0$id >/dev/null 2>&1
done
echo 4711 >pin
echo 0815 >wrong
chmod 600 pin wrong
uri() { echo "pkcs11:token=lab;object=root%20$1?module-path=$module"; }

for kind in EC rsa; do
	exits 0 "a root with its $kind key in the token" "$sardane" ca init root-$kind --name "Root $kind" \
		--key "$(uri $kind)&pin-source=file:$scratch/pin"
	is "$(ls root-$kind)" "$(printf 'audit.head\naudit.log\nca-key.uri\nca.db\nca.pem')" "no key file is written"
	exits 0 "it issues an intermediate" "$sardane" ca intermediate int-$kind --ca root-$kind --name Issuing
	exits 0 "and a leaf" "$sardane" cert issue --ca root-$kind --dns js.a.example --out js-$kind
	exits 0 "which openssl verifies" openssl verify -x509_strict -CAfile root-$kind/ca.pem js-$kind.pem
	exits 0 "it signs a CRL" "$sardane" ca crl root-$kind
	exits 0 "which openssl verifies too" openssl crl -in root-$kind/ca-crl.pem -CAfile root-$kind/ca.pem -noout
done
# as sardane-ca(1) has it: a server's key that is made in the token, too
pkcs11-tool --module "$module" --token-label lab --login --pin 4711 --keypairgen --key-type EC:prime256v1 --label js --id 07 >/dev/null 2>&1
exits 0 "openssl makes the request of a key in the token" env PKCS11_MODULE_PATH="$module" openssl req -new -engine pkcs11 -keyform engine \
	-key "pkcs11:token=lab;object=js;type=private;pin-value=4711" -subj / -addext subjectAltName=DNS:js.a.example -out js.csr
exits 0 "which is signed" "$sardane" cert sign --ca root-EC --csr js.csr --role server --out js-token
exits 0 "and verified" openssl verify -x509_strict -CAfile root-EC/ca.pem js-token.pem
is "$(openssl x509 -in js-token.pem -noout -pubkey)" "$(openssl req -in js.csr -noout -pubkey)" "with the token's key"

like "$("$sardane" ca show root-EC)" "p256, in a token" "show says where the key is"
is "$(grep -rlE 'BEGIN (EC |RSA |ENCRYPTED )?PRIVATE KEY' root-EC root-rsa)" "" "no folder of the roots holds a private key"

exits 0 "the PIN may come from a password file" "$sardane" ca init root2 --name R --key "$(uri EC)" --password-file pin
exits 0 "every time" "$sardane" cert issue --ca root2 --dns a.example --out a --password-file pin
exits 2 "without one there is no key" setsid -w "$sardane" cert issue --ca root2 --dns b.example --out b
like "$out" "PIN of key 'pkcs11:token=lab;object=root%20EC': needs a password" "and the words name it"
exits 2 "a wrong PIN is refused" "$sardane" cert issue --ca root2 --dns b.example --out b --password-file wrong
exits 2 "a key that is not there is named" "$sardane" ca init root3 --name R --password-file pin \
	--key "pkcs11:token=lab;object=nothing?module-path=$module"
like "$out" "object=nothing': no such key" "by its URI"
exits 2 "a PIN in the URI is refused" "$sardane" ca init root3 --name R --key "$(uri EC)&pin-value=4711"
like "$out" "pin-value" "by its name"
is "$([[ $out == *4711* ]] && echo told)" "" "and is not told"
exits 2 "a token's certificate and key must fit" bash -c "cp root-rsa/ca-key.uri root-EC/; '$sardane' cert issue --ca root-EC --dns b.example --out b"
like "$out" "does not fit certificate" "and the words say so"
is "$([ -e root3 ] && echo there)" "" "nothing is left of what failed"
done_testing
