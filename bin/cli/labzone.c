/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/lab.h"
#include "dane/generate.h"
#include "dns/owner.h"
#include "pki/der.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Every zone begins so; its negative answers live as long as its records. */
static void put_apex(const struct lab *lab, const struct lab_zone *z, struct buf *text)
{
	const char *dot = z->name[0] == '.' ? "" : ".";

	buf_printf(text, "%s%s %u SOA " LAB_DNS_HOST ". hostmaster.example. 1 3600 600 86400 %u\n",
		z->name, dot, lab->ttl_s, lab->ttl_s);
	buf_printf(text, "%s%s %u NS " LAB_DNS_HOST ".\n", z->name, dot, lab->ttl_s);
}

/* "x DS 1 13 2 ABCD": the wrong digest of a bogus zone is the right one with a digit changed. */
static void put_ds(const struct lab *lab, const struct lab_zone *z, struct buf *ds,
	struct buf *text)
{
	const char *words = buf_string(ds);
	const char *line = words ? strstr(words, " DS ") : NULL;

	for (; line; line = strstr(line + 1, " DS ")) {
		size_t n = strcspn(line, "\n");
		char last = line[n - 1];
		unsigned tag, algorithm, digest;

		if (sscanf(line, " DS %u %u %u", &tag, &algorithm, &digest) != 3 || digest != 2)
			continue;
		if (z->signing == LAB_BOGUS)
			last = last == '0' ? '1' : '0';
		buf_printf(text, "%s. %u%.*s%c\n", z->name, lab->ttl_s, (int)n - 1, line, last);
	}
}

int lab_put_tlsa(const struct lab *lab, const char *owner, const char *file, struct buf *text,
	struct err *err)
{
	uint8_t memory[GENERATE_MAX];
	char words[12 + 2 * GENERATE_MAX];
	char path[LAB_PATH_MAX];
	struct buf der = { 0 };
	struct tlsa tlsa;
	int rc = der_read_certificate(lab_path(lab, file, path), &der, err);

	if (rc == 0)
		rc = generate_from_certificate(buf_span(&der), TLSA_DANE_EE, TLSA_SPKI, TLSA_SHA256,
			memory, sizeof(memory), &tlsa, err);
	if (rc == 0)
		rc = tlsa_write_text(&tlsa, words, sizeof(words), err);
	if (rc == 0)
		buf_printf(text, "%s. %u TLSA %s\n", owner, lab->ttl_s, words);
	buf_done(&der);
	return rc;
}

static int put_organisation(const struct lab *lab, size_t n, struct buf *text, struct err *err)
{
	const struct lab_organisation *o = &lab_organisations[n];
	struct lab_host host;
	char file[32];
	int rc = 0;

	for (size_t role = 0; rc == 0 && role < LAB_ROLES; role++) {
		lab_host(lab, n, role, &host);
		buf_printf(text, "%s. %u A %s\n", host.name, lab->ttl_s, host.address);
		buf_printf(text, "_lwns._tcp.%s. %u SRV 0 0 %u %s.\n", host.name, lab->ttl_s,
			host.port, host.name);
		snprintf(file, sizeof(file), "%s/%s-server.pem", o->letter, lab_roles[role]);
		rc = lab_put_tlsa(lab, host.server_owner, file, text, err);
		snprintf(file, sizeof(file), "%s/%s-client.pem", o->letter, lab_roles[role]);
		if (rc == 0)
			rc = lab_put_tlsa(lab, host.client_name, file, text, err);
	}
	return rc;
}

/* TS002: the JoinEUI name leads to the JS, the NetID name to the NS. */
static int put_registry(const struct lab *lab, struct buf *text, struct err *err)
{
	char owner[NAME_TEXT_MAX];
	struct name suffix, name;

	if (name_of("joineuis." LAB_REGISTRY, &suffix) != 0)
		return err_set(err, ERR_FORMAT, "registry: not a domain name");
	for (size_t i = 0; i < LAB_ORGANISATIONS; i++) {
		const struct lab_organisation *o = &lab_organisations[i];

		if (owner_join_eui(strtoull(o->join_eui, NULL, 16), &suffix, &name) != 0 ||
			name_write_text(&name, owner, sizeof(owner)) != 0)
			return err_set(err, ERR_FORMAT, "JoinEUI %s: no name for it", o->join_eui);
		buf_printf(text, "%s. %u NAPTR 10 10 \"S\" \"LWNS\" \"\" _lwns._tcp.js.%s.\n",
			owner, lab->ttl_s, o->domain);
		buf_printf(text, "%s.netids." LAB_REGISTRY ". %u CNAME ns.%s.\n", o->net_id,
			lab->ttl_s, o->domain);
	}
	return 0;
}

static int write_zone(const struct lab *lab, size_t n, struct buf ds[LAB_ZONES],
	struct buf *broken_ds, struct err *err)
{
	const struct lab_zone *z = &lab_zones[n];
	struct buf text = { 0 };
	char file[64];
	int rc = 0;

	put_apex(lab, z, &text);
	if (n <= 1) /* glue above, and the record itself */
		buf_printf(&text, LAB_DNS_HOST ". %u A 127.0.0.1\n", lab->ttl_s);
	for (size_t i = 0; i < LAB_ZONES; i++) {
		if (lab_zones[i].parent != (int)n)
			continue;
		buf_printf(&text, "%s. %u NS " LAB_DNS_HOST ".\n", lab_zones[i].name, lab->ttl_s);
		if (lab_zones[i].signing != LAB_UNSIGNED)
			put_ds(lab, &lab_zones[i], &ds[i], &text);
	}
	if (n == 1 && lab->broken)
		buf_printf(&text, "broken.example. %u NS " LAB_DNS_HOST ".\n%s", lab->ttl_s,
			buf_string(broken_ds));
	for (size_t i = 0; rc == 0 && i < LAB_ORGANISATIONS; i++)
		if (strcmp(z->name, lab_organisations[i].domain) == 0)
			rc = put_organisation(lab, i, &text, err);
	if (rc == 0 && strcmp(z->name, LAB_REGISTRY) == 0)
		rc = put_registry(lab, &text, err);
	snprintf(file, sizeof(file), "zones/%s", z->file);
	if (rc == 0)
		return lab_write(lab, file, &text, err);
	buf_done(&text);
	return rc;
}

int lab_write_zones(const struct lab *lab, struct buf ds[LAB_ZONES], struct buf *broken_ds,
	struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < LAB_ZONES; i++)
		rc = write_zone(lab, i, ds, broken_ds, err);
	return rc;
}
