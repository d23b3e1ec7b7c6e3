/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/cutoff.h"

#include "identity/fleet.h"

#include <stdio.h>

int cutoff_blocker(struct rrset *set, struct err *err)
{
	const uint8_t data[3 + 32] = { TLSA_DANE_EE, TLSA_SPKI, TLSA_SHA256 };

	return rrset_add(set, (struct span){ data, sizeof(data) }, err);
}

static int take(void *arg, const struct fleetbook_device *d, struct err *err)
{
	struct cutoff_device *out = arg;

	(void)err;
	out->found = true;
	out->wildcard = d->form[0] == '2';
	out->cut = d->cut;
	snprintf(out->serial, sizeof(out->serial), "%s", d->serial);
	return 0;
}

int cutoff_find(struct names *names, const char *owner, struct cutoff_device *out, struct err *err)
{
	struct fleetbook *book = NULL;
	int rc = fleetbook_open(names, &book, err);

	*out = (struct cutoff_device){ .found = false };
	if (rc == 0)
		rc = fleetbook_each(book, owner, take, out, NULL, err);
	fleetbook_close(book);
	return rc;
}

int cutoff_note(struct names *names, const char *owner, bool cut, struct err *err)
{
	struct fleetbook *book = NULL;
	int rc = fleetbook_open(names, &book, err);

	if (rc == 0)
		rc = fleetbook_cut(book, owner, cut, cut ? FLEET_PUBLISHED : FLEET_BEGUN, err);
	fleetbook_close(book);
	return rc;
}
