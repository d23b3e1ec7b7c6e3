/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/rollrecords.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "dns/owner.h"

static int add_service(const char *service, const struct name *host, struct rollrecords *out,
	struct err *err)
{
	unsigned port = 0;
	char proto[8] = "";
	int end = 0;

	if (sscanf(service, "%5u/%7[a-z]%n", &port, proto, &end) != 2 || service[end] ||
		port == 0 || port > 65535 ||
		(strcmp(proto, "tcp") != 0 && strcmp(proto, "udp") != 0 &&
			strcmp(proto, "sctp") != 0))
		return err_set(err, ERR_FORMAT, "service '%s': not PORT/tcp, udp or sctp", service);
	if (owner_tlsa((uint16_t)port, proto, host, &out->owner[out->count]) != 0)
		return err_set(err, ERR_FORMAT, "service '%s': the name is too long with it",
			service);
	out->port[out->count++] = (uint16_t)port;
	return 0;
}

int rollrecords_of(const struct rollfile *f, struct rollrecords *out, struct err *err)
{
	struct rollrecords made = { .count = 0 };
	struct name host;
	int rc = 0;

	if (name_of(f->name, &host) != 0)
		return err_set(err, ERR_FORMAT, "name '%s': not a domain name", f->name);
	for (unsigned i = 0; rc == 0 && i < f->services; i++)
		rc = add_service(f->service[i], &host, &made, err);
	if (f->services == 0)
		made.owner[made.count++] = host;
	if (rc == 0)
		*out = made;
	return rc;
}

int rollrecords_owner(const struct rollfile *f, char out[NAME_TEXT_MAX], struct err *err)
{
	struct rollrecords r;
	int rc = rollrecords_of(f, &r, err);

	if (rc != 0)
		return rc;
	name_lower(&r.owner[0]);
	return name_write_text(&r.owner[0], out, NAME_TEXT_MAX) == 0
		? 0
		: err_set(err, ERR_FORMAT, "name '%s': cannot be written", f->name);
}

int rollrecords_add(const struct agility *forms, struct span der, struct rrset *set,
	struct err *err)
{
	struct agility a = { .count = forms->count };
	int rc;

	memcpy(a.form, forms->form, sizeof(a.form));
	rc = agility_make(&a, der, err);
	for (size_t i = 0; rc == 0 && i < a.count; i++)
		rc = rrset_add(set, buf_span(&a.rdata[i]), err);
	agility_done(&a);
	return rc;
}

int rollrecords_claim(struct agility *a, struct span der, const struct rrset *now,
	struct names *names, struct err *err)
{
	struct name lower = now->owner;
	char owner[NAME_TEXT_MAX];
	int rc = agility_make(a, der, err);

	name_lower(&lower);
	if (rc == 0 && name_write_text(&lower, owner, sizeof(owner)) != 0)
		rc = err_set(err, ERR_FORMAT, "name: cannot be written");
	for (size_t i = 0; rc == 0 && i < a->count; i++) {
		struct names_record r = { .owner = owner,
			.type = now->type,
			.rdata = buf_span(&a->rdata[i]),
			.ttl_s = now->ttl_s,
			.state = NAMES_THERE,
			.since_s = time(NULL) };

		rc = names_put_record(names, &r, err);
	}
	return rc;
}
