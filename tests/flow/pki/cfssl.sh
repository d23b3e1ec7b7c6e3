#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The steps of the IoT Roam tutorial with "cfssl" for "sardane cfssl": the same files, and the same
# in the certificates as the real cfssl where that is installed.  usage: cfssl.sh TAP_SH SARDANE
# shellcheck source=tests/lib/tap.sh
. "$1"
sardane=$2
cd "$scratch" || exit 1
mkdir config
cat >config/config.json <<'JSON'
{"signing": {"default": {"expiry": "8760h"}, "profiles": {
  "intermediate_ca": {"usages": ["signing", "digital signature", "key encipherment", "cert sign", "crl sign",
      "server auth", "client auth"], "expiry": "8760h",
    "ca_constraint": {"is_ca": true, "max_path_len": 0, "max_path_len_zero": true}},
  "client": {"expiry": "8760h", "usages": ["signing", "key encipherment", "client auth"]},
  "server": {"expiry": "8760h", "usages": ["signing", "key encipherment", "server auth"]}}}}
JSON
csr() { # CN EXPIRY
	echo "{\"CN\": \"$1\", \"key\": {\"algo\": \"rsa\", \"size\": 2048}, \"names\": [{\"C\": \"FR\", \"L\": \"SQY\"," \
		"\"O\": \"Labs\", \"ST\": \"Yvelines\"}], \"ca\": {\"expiry\": \"$2\"}}"
}
csr "Labs Root" 42720h >config/ca-csr.json
csr "Labs Intermediate" 42720h >config/intermediate-csr.json
for path in network-server/api application-server/api application-server/join-api network-server/roaming/000000; do
	mkdir -p "config/$path/client" "config/$path/server"
	cat >"config/$path/client/certificate.json" <<-JSON
		{"CN": "000000", "hosts": [""], "key": {"algo": "rsa", "size": 2048}}
	JSON
	cat >"config/$path/server/certificate.json" <<-JSON
		{"CN": "$path", "hosts": ["127.0.0.1", "localhost", "192.0.2.176", "*.joineui.example"],
		 "key": {"algo": "ecdsa", "size": 256}}
	JSON
done

# One organisation's Makefile; the intermediate's request goes to the root by mail.
cat >steps <<'SH'
set -e
mkdir -p $certs/ca $certs/intermediate
cfssl gencert -initca config/ca-csr.json | cfssljson -bare $certs/ca/ca -
cfssl gencert -initca config/intermediate-csr.json | cfssljson -bare $certs/intermediate/intermediate
cfssl sign -ca $certs/ca/ca.pem -ca-key $certs/ca/ca-key.pem -config config/config.json -profile intermediate_ca $certs/intermediate/intermediate.csr | cfssljson -bare $certs/intermediate/intermediate
ca=$certs/intermediate/intermediate
for element in network-server/api application-server/api application-server/join-api network-server/roaming/000000; do
	for role in client server; do
		name=${element//\//-}-$role
		case $element in */roaming/*) name=$role ;; esac
		out=$certs/$element/$role
		mkdir -p $out
		cfssl gencert -ca $ca.pem -ca-key=$ca-key.pem -config config/config.json -profile $role config/$element/$role/certificate.json | cfssljson -bare $out/$name
		cat $out/$name.pem $ca.pem >$out/$name-combined.pem
	done
done
SH
printf '#!/bin/sh\nexec "%s" cfssl "$@"\n' "$sardane" >cfssl
printf '#!/bin/sh\nexec "%s" cfssl json "$@"\n' "$sardane" >cfssljson
chmod 755 cfssl cfssljson
exits 0 "the steps run word for word" env certs=certs PATH="$scratch:$PATH" bash steps
files() { (cd "$1" && find . -type f ! -name 'audit.*' ! -name 'ca.db*' | sort); }
is "$(files certs | wc -l)" 38 "every file is there"
is "$(find certs -name '*-key.pem' ! -perm 600)" "" "keys are private"
join=certs/application-server/join-api
for role in client server; do
	exits 0 "openssl verifies the combined chain of the $role" openssl verify -x509_strict -purpose ssl$role \
		-CAfile certs/ca/ca.pem -untrusted $join/$role/application-server-join-api-$role-combined.pem \
		$join/$role/application-server-join-api-$role.pem
done
exits 0 "and the server's address" openssl verify -CAfile certs/ca/ca.pem -untrusted certs/intermediate/intermediate.pem \
	-verify_ip 192.0.2.176 $join/server/application-server-join-api-server.pem

# what a certificate says, extension by extension, without keys, times and their order
says() {
	openssl x509 -in "$1" -noout -subject -issuer
	openssl x509 -in "$1" -noout -ext basicConstraints,keyUsage,extendedKeyUsage,subjectAltName 2>/dev/null |
		sed -z 's/\n  */ /g' | grep -v 'DNS:$' | sort
}
real=$(PATH=${PATH//$scratch:/} command -v cfssl)
if [ -n "$real" ] && command -v cfssljson >/dev/null; then
	exits 0 "the real cfssl runs the same steps" env certs=real bash steps
	is "$(files certs)" "$(files real)" "it makes the same files"
	for file in ca/ca intermediate/intermediate network-server/roaming/000000/client/client \
		application-server/join-api/server/application-server-join-api-server; do
		is "$(says certs/$file.pem)" "$(says real/$file.pem)" "and says the same in $file.pem"
	done
	exits 0 "its authority is taken over as it stands" ./cfssl gencert -ca real/intermediate/intermediate.pem \
		-ca-key real/intermediate/intermediate-key.pem -config config/config.json -profile server \
		config/network-server/api/server/certificate.json -bare taken
	exits 0 "and openssl verifies what comes" openssl verify -CAfile real/ca/ca.pem \
		-untrusted real/intermediate/intermediate.pem taken.pem
fi

# without the pipe
ca=certs/intermediate/intermediate
exits 0 "files are written without a pipe" ./cfssl gencert -ca $ca.pem -ca-key $ca-key.pem -config config/config.json \
	-profile server -hostname js.example,192.0.2.9 config/network-server/api/server/certificate.json -bare one
is "$(ls one*)" "$(printf 'one-chain.pem\none-combined.pem\none-key.pem\none.csr\none.pem')" "the combined chain too"
is "$(cat one.pem $ca.pem)" "$(cat one-combined.pem)" "which is leaf and intermediate"
like "$(openssl x509 -in one.pem -noout -ext subjectAltName)" "DNS:js.example, IP Address:192.0.2.9" "-hostname replaces hosts"
exits 0 "a root without a pipe" ./cfssl gencert -initca config/ca-csr.json -bare certs/ca/two
exits 0 "genkey without a pipe" ./cfssl genkey config/intermediate-csr.json -bare three
exits 0 "sign without a pipe" ./cfssl sign -ca certs/ca/two.pem -ca-key certs/ca/two-key.pem -config config/config.json \
	-profile intermediate_ca three.csr -bare three
exits 0 "openssl verifies it" openssl verify -x509_strict -CAfile certs/ca/two.pem three.pem

# all that cert and ca know works on such an authority
is "$("$sardane" cert list --ca $ca --name '*.joineui.example' | wc -l)" 4 "what it issued is listed"
exits 0 "one is revoked" "$sardane" cert revoke one.pem --ca $ca
exits 0 "a CRL is signed" "$sardane" ca crl $ca
is "$(openssl crl -in $ca-crl.pem -noout -text | grep -c 'Serial Number')" 1 "with it"
exits 0 "the log is whole" "$sardane" audit verify --state certs/intermediate
exits 0 "one is renewed" "$sardane" cert renew $join/server/application-server-join-api-server --ca $ca

# what is wrong is named
refused() { # WHAT PATTERN ARGS...
	exits 2 "$1" ./cfssl "${@:3}" -bare bad
	like "$out" "$2" "named: $2"
}
refused "a profile that is not there" "'config/config.json': signing: no profile 'nope'" gencert -ca $ca.pem \
	-ca-key $ca-key.pem -config config/config.json -profile nope config/ca-csr.json
sed 's/"size": 2048/"size": 1024/' config/ca-csr.json >weak.json
refused "a weak key" "'weak.json': key: 'rsa' of 1024 bits" gencert -initca weak.json
sed 's/42720h/never/' config/ca-csr.json >never.json
refused "an expiry that is none" "'never.json': ca: expiry 'never'" gencert -initca never.json
sed 's/"client": {/"client": {"name_whitelist": "^a", /' config/config.json >list.json
refused "what is not supported" "'list.json': profile 'client': name_whitelist: is not supported" gencert -ca $ca.pem \
	-ca-key $ca-key.pem -config list.json -profile client config/network-server/api/client/certificate.json
refused "a file that is missing" "'none.json': No such file" gencert -initca none.json
refused "a leaf as an authority" "is not an authority's" gencert -ca one.pem -ca-key one-key.pem config/ca-csr.json
exits 2 "an option that is none" ./cfssl gencert -remote x config/ca-csr.json
like "$out" "option '-remote': unknown" "named"
is "$(find . -name 'bad*')" "" "none of them wrote a file"
done_testing
