/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credentials - a root, a server below it, and clients below it that are good, expired, named
 * as nobody admits, and of another root of the same name; PEM files in the folder given.
 */
#include <stdio.h>

#include "certs.h"

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: credentials FOLDER\n");
		return 2;
	}
	struct certs_leaf root =
		certs_make(&(struct certs_wish){ .cn = "root", .authority = true });
	struct certs_leaf evil =
		certs_make(&(struct certs_wish){ .cn = "root", .authority = true });
	static const char *const names[] = { "server", "good", "old", "strange", "forged" };
	const struct certs_wish wishes[] = {
		{ .san = "DNS:js.b.example", .issuer = &root },
		{ .san = "DNS:ns.a.example", .issuer = &root },
		{ .san = "DNS:ns.a.example", .issuer = &root, .expired = true },
		{ .san = "DNS:ns.z.example", .issuer = &root },
		{ .san = "DNS:ns.a.example", .issuer = &evil },
	};

	certs_write(argv[1], "root", &root, NULL);
	for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
		struct certs_leaf leaf = certs_make(&wishes[i]);
		certs_write(argv[1], names[i], &leaf, NULL);
		certs_drop(&leaf);
	}
	certs_drop(&root);
	certs_drop(&evil);
	return 0;
}
