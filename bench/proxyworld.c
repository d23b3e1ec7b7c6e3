/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxyworld - the world the proxies are measured in: certificates of both kinds, names in DNS.
 *
 *   leaf, leaf-key        of PKIX: leaf and intermediate, under root.pem
 *   ee, ee-key            self-signed, of the server that DANE knows
 *   client, client-key    of PKIX;  dane, dane-key  of DANE
 *   _warm.example         the client's TLSA 3 1 1, good for an hour
 *   _u0.example ...       as many more as argv[1] says: each is asked for once
 *
 *   Prints "folder F" and "forward A", serves until its standard input ends, removes all.
 */
#include "certs.h"
#include "tlsworld.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void write_pkix(const char *folder)
{
	struct certs_leaf root =
		certs_make(&(struct certs_wish){ .cn = "root", .authority = true });
	struct certs_leaf middle = certs_make(
		&(struct certs_wish){ .cn = "intermediate", .authority = true, .issuer = &root });
	struct certs_leaf server = certs_make(
		&(struct certs_wish){ .cn = "leaf", .san = "DNS:js.example", .issuer = &middle });
	struct certs_leaf client = certs_make(
		&(struct certs_wish){ .cn = "client", .san = "DNS:ns.example", .issuer = &middle });
	const struct certs_leaf *above[] = { &middle, NULL };

	certs_write(folder, "root", &root, NULL);
	certs_write(folder, "leaf", &server, above);
	certs_write(folder, "client", &client, above);
	certs_drop(&client);
	certs_drop(&server);
	certs_drop(&middle);
	certs_drop(&root);
}

static void write_dane(struct tlsworld *w, unsigned names)
{
	struct certs_leaf ee = certs_make(&(struct certs_wish){ .cn = "js.example" });
	struct certs_leaf dane = certs_make(&(struct certs_wish){ .cn = "ns.example" });
	char text[200];

	certs_write(w->folder, "ee", &ee, NULL);
	certs_write(w->folder, "dane", &dane, NULL);
	certs_tlsa(&dane, 3, 1, 1, text, sizeof text);
	tlsworld_add(w, TLSWORLD_SIGNED, "_warm 3600 IN TLSA %s", text);
	for (unsigned i = 0; i < names; i++)
		tlsworld_add(w, TLSWORLD_SIGNED, "_u%u 3600 IN TLSA %s", i, text);
	certs_drop(&ee);
	certs_drop(&dane);
}

int main(int argc, char **argv)
{
	struct tlsworld w;
	char octet;

	if (argc != 2)
		return 2;
	tlsworld_init(&w);
	write_pkix(w.folder);
	write_dane(&w, (unsigned)strtoul(argv[1], NULL, 10));
	tlsworld_start(&w);
	printf("folder %s\nforward %s\n", w.folder, w.forward);
	fflush(stdout);
	while (read(STDIN_FILENO, &octet, 1) > 0)
		;
	tlsworld_stop(&w);
	return 0;
}
