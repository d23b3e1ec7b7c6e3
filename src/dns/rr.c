/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/rr.h"

#include "base/sink.h"

int rr_read_srv(struct span rdata, struct rr_srv *out)
{
	struct cursor c = cursor_over(rdata);
	struct rr_srv srv = { 0 };

	srv.priority = cursor_u16_be(&c);
	srv.weight = cursor_u16_be(&c);
	srv.port = cursor_u16_be(&c);
	if (name_read(&c, &srv.target) || !cursor_done(&c))
		return ERR_FORMAT;
	*out = srv;
	return 0;
}

/* RFC 1035 section 3.3: a length octet, then that many characters. */
static struct span read_character_string(struct cursor *c)
{
	uint8_t n = cursor_u8(c);

	return cursor_take(c, n);
}

int rr_read_naptr(struct span rdata, struct rr_naptr *out)
{
	struct cursor c = cursor_over(rdata);
	struct rr_naptr naptr = { 0 };

	naptr.order = cursor_u16_be(&c);
	naptr.preference = cursor_u16_be(&c);
	naptr.flags = read_character_string(&c);
	naptr.services = read_character_string(&c);
	naptr.regexp = read_character_string(&c);
	if (name_read(&c, &naptr.replacement) || !cursor_done(&c))
		return ERR_FORMAT;
	*out = naptr;
	return 0;
}

int rr_read_name(struct span rdata, struct name *out)
{
	struct cursor c = cursor_over(rdata);
	struct name name;

	if (name_read(&c, &name) || !cursor_done(&c))
		return ERR_FORMAT;
	*out = name;
	return 0;
}

static const struct {
	uint16_t type;
	const char *word;
} words[] = {
	{ RR_A, "A" },
	{ RR_NS, "NS" },
	{ RR_CNAME, "CNAME" },
	{ RR_SOA, "SOA" },
	{ RR_PTR, "PTR" },
	{ RR_TXT, "TXT" },
	{ RR_AAAA, "AAAA" },
	{ RR_SRV, "SRV" },
	{ RR_NAPTR, "NAPTR" },
	{ RR_DNAME, "DNAME" },
	{ RR_DS, "DS" },
	{ RR_DNSKEY, "DNSKEY" },
	{ RR_TLSA, "TLSA" },
};

static void put_text(struct sink *s, const char *text)
{
	while (*text)
		sink_u8(s, (uint8_t)*text++);
}

/* RFC 3597 section 5: a type without a name of its own is TYPE and its number. */
const char *rr_type_word(uint16_t type, char *out, size_t cap)
{
	struct sink s = sink_into(out, cap);
	bool started = false;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].type == type)
			return words[i].word;
	put_text(&s, "TYPE");
	for (unsigned scale = 10000; scale > 0; scale /= 10) {
		unsigned digit = type / scale % 10;

		started = started || digit || scale == 1;
		if (started)
			sink_u8(&s, (uint8_t)('0' + digit));
	}
	sink_u8(&s, 0);
	return sink_fits(&s) ? out : "TYPE?";
}
