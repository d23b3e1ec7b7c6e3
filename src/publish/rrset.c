/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/rrset.h"

#include "base/hex.h"
#include "dane/tlsa.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rrset rrset_of(const struct name *owner, uint16_t type, uint32_t ttl_s)
{
	return (struct rrset){ .owner = *owner, .type = type, .ttl_s = ttl_s };
}

void rrset_done(struct rrset *s)
{
	for (size_t i = 0; i < s->count; i++)
		free((void *)s->rdata[i].p);
	free(s->rdata);
	s->rdata = NULL;
	s->count = 0;
}

static int compare(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;

	return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* Where it is, or where it would go. */
static size_t place(const struct rrset *s, struct span rdata, bool *there)
{
	size_t i = 0;

	while (i < s->count && compare(s->rdata[i], rdata) < 0)
		i++;
	*there = i < s->count && compare(s->rdata[i], rdata) == 0;
	return i;
}

bool rrset_has(const struct rrset *s, struct span rdata)
{
	bool there;

	place(s, rdata, &there);
	return there;
}

int rrset_add(struct rrset *s, struct span rdata, struct err *err)
{
	bool there;
	size_t at = place(s, rdata, &there);
	struct span *list;
	uint8_t *copy;

	if (there)
		return 0;
	if (s->count == RRSET_RECORDS_MAX || rdata.n > RRSET_RDATA_MAX)
		return err_set(err, ERR_SPACE, "record set: above %d records of %d octets",
			RRSET_RECORDS_MAX, RRSET_RDATA_MAX);
	copy = malloc(rdata.n ? rdata.n : 1);
	list = realloc(s->rdata, (s->count + 1) * sizeof(*list));
	if (list)
		s->rdata = list;
	if (!copy || !list) {
		free(copy);
		return err_set(err, ERR_NOMEM, "record set: out of memory");
	}
	if (rdata.n)
		memcpy(copy, rdata.p, rdata.n);
	memmove(list + at + 1, list + at, (s->count - at) * sizeof(*list));
	list[at] = (struct span){ copy, rdata.n };
	s->count++;
	return 0;
}

int rrset_add_all(struct rrset *s, const struct rrset *other, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < other->count; i++)
		rc = rrset_add(s, other->rdata[i], err);
	return rc;
}

void rrset_remove(struct rrset *s, struct span rdata)
{
	bool there;
	size_t at = place(s, rdata, &there);

	if (!there)
		return;
	free((void *)s->rdata[at].p);
	s->count--;
	memmove(s->rdata + at, s->rdata + at + 1, (s->count - at) * sizeof(*s->rdata));
}

int rrset_copy(const struct rrset *s, struct rrset *out, struct err *err)
{
	struct rrset copy = rrset_of(&s->owner, s->type, s->ttl_s);
	int rc = rrset_add_all(&copy, s, err);

	if (rc != 0)
		rrset_done(&copy);
	else
		*out = copy;
	return rc;
}

bool rrset_equal(const struct rrset *a, const struct rrset *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (compare(a->rdata[i], b->rdata[i]) != 0)
			return false;
	return true;
}

static void write_hex(struct span octets, struct buf *out)
{
	for (size_t i = 0; i < octets.n; i++)
		buf_printf(out, "%02x", octets.p[i]);
}

void rrset_write_data(uint16_t type, struct span rdata, struct buf *out)
{
	struct tlsa tlsa;

	if (type == RR_TLSA && tlsa_read(rdata, &tlsa, NULL) == 0) {
		buf_printf(out, "%u %u %u ", tlsa.usage, tlsa.selector, tlsa.matching);
		write_hex(tlsa.data, out);
		return;
	}
	buf_printf(out, "\\# %zu", rdata.n);
	if (rdata.n)
		buf_text(out, " ");
	write_hex(rdata, out);
}

void rrset_write_line(const struct rrset *s, struct span rdata, struct buf *out)
{
	char owner[NAME_TEXT_MAX], word[12];

	if (name_write_text(&s->owner, owner, sizeof(owner)) != 0)
		owner[0] = '\0';
	buf_printf(out, "%s%s %u IN %s ", owner, s->owner.n > 1 ? "." : "", s->ttl_s,
		rr_type_word(s->type, word, sizeof(word)));
	rrset_write_data(s->type, rdata, out);
	buf_text(out, "\n");
}

static int read_unknown(const char *text, struct buf *out, struct err *err)
{
	uint8_t octets[RRSET_RDATA_MAX];
	unsigned long said;
	char *hex;
	size_t n;

	said = strtoul(text, &hex, 10);
	hex += strspn(hex, " \t");
	if (hex == text ||
		hex_read((struct span){ (const uint8_t *)hex, strlen(hex) }, octets, sizeof(octets),
			&n) != 0 ||
		n != said)
		return err_set(err, ERR_FORMAT, "data '\\# %.60s': not a length and as many octets",
			text);
	buf_put(out, (struct span){ octets, n });
	return 0;
}

static int read_tlsa(const char *text, struct buf *out, struct err *err)
{
	uint8_t data[RRSET_RDATA_MAX], wire[RRSET_RDATA_MAX];
	struct tlsa tlsa;
	size_t n = 0;
	int rc = tlsa_read_text((struct span){ (const uint8_t *)text, strlen(text) }, data,
		sizeof(data), &tlsa, err);

	if (rc == 0)
		rc = tlsa_write(&tlsa, wire, sizeof(wire), &n, err);
	if (rc == 0)
		buf_put(out, (struct span){ wire, n });
	return rc;
}

int rrset_read_data(uint16_t type, const char *text, struct buf *out, struct err *err)
{
	int rc;

	text += strspn(text, " \t");
	if (strncmp(text, "\\# ", 3) == 0)
		rc = read_unknown(text + 3, out, err);
	else if (type == RR_TLSA)
		rc = read_tlsa(text, out, err);
	else
		rc = err_set(err, ERR_FORMAT, "data '%.60s': not in the form \\# LENGTH HEX", text);
	if (rc == 0 && !buf_ok(out))
		return err_set(err, ERR_NOMEM, "out of memory");
	return rc;
}
