/* SPDX-License-Identifier: Apache-2.0 */
#include "sardane/tlsa.h"

#include <string.h>

#include "dane/generate.h"
#include "sardane/convert.h"

static struct sardane_tlsa outside(const struct tlsa *t)
{
	return (struct sardane_tlsa){ .usage = t->usage,
		.selector = t->selector,
		.matching = t->matching,
		.data = t->data.p,
		.n = t->data.n };
}

static struct tlsa inside(const struct sardane_tlsa *t)
{
	return (struct tlsa){ .usage = t->usage,
		.selector = t->selector,
		.matching = t->matching,
		.data = { t->data, t->n } };
}

int sardane_tlsa_read(const uint8_t *rdata, size_t n, struct sardane_tlsa *out,
	struct sardane_err *err)
{
	struct tlsa t;
	int rc = tlsa_read((struct span){ rdata, n }, &t, convert_err(err));

	if (rc == 0)
		*out = outside(&t);
	return rc;
}

int sardane_tlsa_write(const struct sardane_tlsa *tlsa, uint8_t *out, size_t cap, size_t *n,
	struct sardane_err *err)
{
	struct tlsa t = inside(tlsa);

	return tlsa_write(&t, out, cap, n, convert_err(err));
}

int sardane_tlsa_read_text(const char *text, uint8_t *memory, size_t cap, struct sardane_tlsa *out,
	struct sardane_err *err)
{
	struct span s = { (const uint8_t *)text, strlen(text) };
	struct tlsa t;
	int rc = tlsa_read_text(s, memory, cap, &t, convert_err(err));

	if (rc == 0)
		*out = outside(&t);
	return rc;
}

int sardane_tlsa_write_text(const struct sardane_tlsa *tlsa, char *out, size_t cap,
	struct sardane_err *err)
{
	struct tlsa t = inside(tlsa);

	return tlsa_write_text(&t, out, cap, convert_err(err));
}

const char *sardane_tlsa_unusable(const struct sardane_tlsa *tlsa)
{
	struct tlsa t = inside(tlsa);

	return tlsa_unusable(&t);
}

int sardane_tlsa_of_certificate(const uint8_t *der, size_t n, int usage, int selector, int matching,
	uint8_t *memory, size_t cap, struct sardane_tlsa *out, struct sardane_err *err)
{
	struct tlsa t;
	int rc = generate_from_certificate((struct span){ der, n }, (enum tlsa_usage)usage,
		(enum tlsa_selector)selector, (enum tlsa_matching)matching, memory, cap, &t,
		convert_err(err));

	if (rc == 0)
		*out = outside(&t);
	return rc;
}

int sardane_tlsa_of_key(const uint8_t *der, size_t n, int usage, int matching, uint8_t *memory,
	size_t cap, struct sardane_tlsa *out, struct sardane_err *err)
{
	struct tlsa t;
	int rc = generate_from_key((struct span){ der, n }, (enum tlsa_usage)usage,
		(enum tlsa_matching)matching, memory, cap, &t, convert_err(err));

	if (rc == 0)
		*out = outside(&t);
	return rc;
}
