/* SPDX-License-Identifier: Apache-2.0 */
#include "json/fields.h"

#include <string.h>

#include "base/hex.h"

struct fields fields_of(const struct doc *object, struct err *err)
{
	struct fields f;

	f.object = object;
	f.err = err;
	f.code = 0;
	f.members_n = doc_members(object, f.members, FIELDS_LISTED);
	if (doc_kind(object) != DOC_OBJECT)
		f.code = err_set(err, ERR_FORMAT, "JSON: an object is needed, not %s",
			doc_kind_word(doc_kind(object)));
	return f;
}

int fields_done(const struct fields *f)
{
	return f->code;
}

/* An object of more members than are listed is searched itself. */
static const struct doc *member(const struct fields *f, const char *name, unsigned *times)
{
	const struct doc *found = NULL;

	if (f->members_n > FIELDS_LISTED)
		return doc_member_any_case(f->object, name, times);
	for (size_t i = 0; i < f->members_n; i++) {
		const struct doc_entry *m = &f->members[i];

		/* Letters that are the same in some case differ in this bit at most. */
		if ((m->name[0] | 0x20) == (name[0] | 0x20) && doc_same_name(m->name, name)) {
			found = m->value;
			++*times;
		}
	}
	return found;
}

/* The value called name, of the kind wanted; NULL when absent or when f is bad. */
static const struct doc *find(struct fields *f, const char *name, enum fields_need need,
	enum doc_kind kind)
{
	unsigned times = 0;
	const struct doc *d;

	if (f->code)
		return NULL;
	d = member(f, name, &times);
	if (times > 1) {
		f->code = err_set(f->err, ERR_FORMAT, "%s: there %u times", name, times);
		return NULL;
	}
	if (doc_kind(d) == DOC_NONE || doc_kind(d) == DOC_NULL) {
		if (need == FIELDS_MUST)
			f->code = err_set(f->err, ERR_FORMAT, "%s: missing", name);
		return NULL;
	}
	if (doc_kind(d) == kind || (kind == DOC_REAL && doc_kind(d) == DOC_INTEGER))
		return d;
	f->code = err_set(f->err, ERR_FORMAT, "%s: %s is needed, not %s", name, doc_kind_word(kind),
		doc_kind_word(doc_kind(d)));
	return NULL;
}

/* The digits of a hexadecimal text, without 0x. */
static bool find_digits(struct fields *f, const char *name, enum fields_need need, struct span *out)
{
	const struct doc *d = find(f, name, need, DOC_TEXT);
	const char *text = doc_text(d);

	if (!d)
		return false;
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	*out = (struct span){ (const uint8_t *)text, strlen(text) };
	return true;
}

static bool bad_hex(struct fields *f, const char *name, struct span digits)
{
	if (digits.n % 2)
		f->code = err_set(f->err, ERR_FORMAT, "%s: %zu digits, need an even number", name,
			digits.n);
	else
		f->code = err_set(f->err, ERR_FORMAT, "%s: not hexadecimal", name);
	return false;
}

bool fields_hex(struct fields *f, const char *name, enum fields_need need, uint8_t *out, size_t cap,
	size_t *n)
{
	struct span digits;

	if (!find_digits(f, name, need, &digits))
		return false;
	if (digits.n > 2 * cap) {
		f->code = err_set(f->err, ERR_FORMAT, "%s: %zu digits, at most %zu", name, digits.n,
			2 * cap);
		return false;
	}
	return hex_read(digits, out, cap, n) == 0 || bad_hex(f, name, digits);
}

bool fields_hex_exact(struct fields *f, const char *name, enum fields_need need, uint8_t *out,
	size_t n)
{
	struct span digits;

	if (!find_digits(f, name, need, &digits))
		return false;
	if (digits.n != 2 * n) {
		f->code = err_set(f->err, ERR_FORMAT, "%s: %zu digits, need %zu", name, digits.n,
			2 * n);
		return false;
	}
	return hex_read_exact(digits, out, n) == 0 || bad_hex(f, name, digits);
}

bool fields_id(struct fields *f, const char *name, enum fields_need need, unsigned octets,
	uint64_t *out)
{
	uint8_t p[8];
	uint64_t v = 0;

	if (octets > sizeof(p) || !fields_hex_exact(f, name, need, p, octets))
		return false;
	for (unsigned i = 0; i < octets; i++)
		v = v << 8 | p[i];
	*out = v;
	return true;
}

bool fields_integer(struct fields *f, const char *name, enum fields_need need, int64_t min,
	int64_t max, int64_t *out)
{
	const struct doc *d = find(f, name, need, DOC_INTEGER);
	int64_t v = doc_integer(d);

	if (!d)
		return false;
	if (v < min || v > max) {
		f->code = err_set(f->err, ERR_FORMAT, "%s: %lld, need %lld to %lld", name,
			(long long)v, (long long)min, (long long)max);
		return false;
	}
	*out = v;
	return true;
}

bool fields_u64(struct fields *f, const char *name, enum fields_need need, uint64_t max,
	uint64_t *out)
{
	int64_t v;

	if (!fields_integer(f, name, need, 0, max > INT64_MAX ? INT64_MAX : (int64_t)max, &v))
		return false;
	*out = (uint64_t)v;
	return true;
}

bool fields_u32(struct fields *f, const char *name, enum fields_need need, uint32_t max,
	uint32_t *out)
{
	int64_t v;

	if (!fields_integer(f, name, need, 0, max, &v))
		return false;
	*out = (uint32_t)v;
	return true;
}

bool fields_real(struct fields *f, const char *name, enum fields_need need, double *out)
{
	const struct doc *d = find(f, name, need, DOC_REAL);

	if (!d)
		return false;
	*out = doc_real(d);
	return true;
}

bool fields_bool(struct fields *f, const char *name, enum fields_need need, bool *out)
{
	const struct doc *d = find(f, name, need, DOC_BOOL);

	if (!d)
		return false;
	*out = doc_is_true(d);
	return true;
}

bool fields_text(struct fields *f, const char *name, enum fields_need need, const char **out)
{
	const struct doc *d = find(f, name, need, DOC_TEXT);

	if (!d)
		return false;
	*out = doc_text(d);
	return true;
}

bool fields_copy(struct fields *f, const char *name, enum fields_need need, char *out, size_t cap)
{
	const char *text;

	if (!fields_text(f, name, need, &text))
		return false;
	if (strlen(text) >= cap) {
		f->code = err_set(f->err, ERR_FORMAT, "%s: %zu octets, at most %zu", name,
			strlen(text), cap - 1);
		return false;
	}
	memcpy(out, text, strlen(text) + 1);
	return true;
}

bool fields_object(struct fields *f, const char *name, enum fields_need need,
	const struct doc **out)
{
	const struct doc *d = find(f, name, need, DOC_OBJECT);

	if (!d)
		return false;
	*out = d;
	return true;
}

bool fields_array(struct fields *f, const char *name, enum fields_need need, const struct doc **out)
{
	const struct doc *d = find(f, name, need, DOC_ARRAY);

	if (!d)
		return false;
	*out = d;
	return true;
}
