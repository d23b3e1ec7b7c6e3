/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/tsig.h"

#include "base/same.h"
#include "base/sink.h"
#include "core/secret.h"
#include "dns/message.h"

#include <stdio.h>
#include <string.h>

#define TYPE_TSIG     250
#define CLASS_ANY     255
#define FUDGE_S       300
#define RECORD_MAX    1024 /* two names, the numbers and the longest MAC */
#define ADDITIONAL_AT 10   /* of ARCOUNT in the header */

/* The fields of a TSIG record's data, in their order. */
struct fields {
	struct name algorithm;
	uint64_t time_s; /* 48 bits */
	uint16_t fudge_s;
	struct span mac;
	uint16_t original_id, error;
	struct span other;
};

static int names_of(const struct tsigkey *key, struct name *owner, struct name *algorithm,
	struct err *err)
{
	if (name_of(key->name, owner) != 0 || name_of(tsigkey_algorithm(key), algorithm) != 0)
		return err_set(err, ERR_FORMAT, "TSIG key '%s': not a domain name", key->name);
	name_lower(owner);
	return 0;
}

/* RFC 8945 section 4.3.3: the variables that are signed beside the message. */
static void put_variables(struct sink *s, const struct name *owner, const struct fields *f)
{
	sink_put(s, (struct span){ owner->wire, owner->n });
	sink_u16_be(s, CLASS_ANY);
	sink_u32_be(s, 0);
	sink_put(s, (struct span){ f->algorithm.wire, f->algorithm.n });
	sink_u16_be(s, (uint16_t)(f->time_s >> 32));
	sink_u32_be(s, (uint32_t)f->time_s);
	sink_u16_be(s, f->fudge_s);
	sink_u16_be(s, f->error);
	sink_u16_be(s, (uint16_t)f->other.n);
	sink_put(s, f->other);
}

static int compute(const struct tsigkey *key, const struct name *owner, const struct fields *f,
	const struct span *parts, size_t count, uint8_t *out, struct err *err)
{
	uint8_t room[RECORD_MAX], secret[TSIGKEY_SECRET_MAX];
	struct sink variables = sink_into(room, sizeof(room));
	struct span all[4];
	size_t n = 0;
	int rc;

	put_variables(&variables, owner, f);
	if (!sink_fits(&variables) || tsigkey_secret(key, secret, &n) != 0)
		return err_set(err, ERR_FORMAT, "TSIG: a record that is too long");
	memcpy(all, parts, count * sizeof(*parts));
	all[count] = sink_span(&variables);
	rc = hmac_write(key->digest, (struct span){ secret, n }, all, count + 1, out, err);
	secret_wipe_octets(secret, sizeof(secret));
	return rc;
}

static void put_record(struct sink *s, const struct name *owner, const struct fields *f)
{
	size_t n = f->algorithm.n + 10 + f->mac.n + 6 + f->other.n;

	sink_put(s, (struct span){ owner->wire, owner->n });
	sink_u16_be(s, TYPE_TSIG);
	sink_u16_be(s, CLASS_ANY);
	sink_u32_be(s, 0);
	sink_u16_be(s, (uint16_t)n);
	sink_put(s, (struct span){ f->algorithm.wire, f->algorithm.n });
	sink_u16_be(s, (uint16_t)(f->time_s >> 32));
	sink_u32_be(s, (uint32_t)f->time_s);
	sink_u16_be(s, f->fudge_s);
	sink_u16_be(s, (uint16_t)f->mac.n);
	sink_put(s, f->mac);
	sink_u16_be(s, f->original_id);
	sink_u16_be(s, f->error);
	sink_u16_be(s, (uint16_t)f->other.n);
	sink_put(s, f->other);
}

static uint16_t number_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* ARCOUNT, one more or one less. */
static void count_record(uint8_t *message, int more)
{
	uint16_t n = (uint16_t)(number_at(message + ADDITIONAL_AT) + more);

	message[ADDITIONAL_AT] = (uint8_t)(n >> 8);
	message[ADDITIONAL_AT + 1] = (uint8_t)n;
}

int tsig_sign(struct buf *message, const struct tsigkey *key, int64_t now_s, struct tsig_mac *mac,
	struct err *err)
{
	struct fields f = { .time_s = (uint64_t)now_s, .fudge_s = FUDGE_S };
	const struct span whole = buf_span(message);
	uint8_t room[RECORD_MAX];
	struct sink record = sink_into(room, sizeof(room));
	struct name owner;
	int rc = names_of(key, &owner, &f.algorithm, err);

	if (rc != 0)
		return rc;
	rc = compute(key, &owner, &f, &whole, 1, mac->octets, err);
	if (rc != 0)
		return rc;
	mac->n = hmac_octets(key->digest);
	f.mac = (struct span){ mac->octets, mac->n };
	f.original_id = number_at(whole.p);
	put_record(&record, &owner, &f);
	buf_put(message, sink_span(&record));
	if (!sink_fits(&record) || !buf_ok(message))
		return err_set(err, ERR_NOMEM, "TSIG: out of memory");
	count_record(message->p, 1);
	return 0;
}

static int read_fields(struct span rdata, struct fields *out)
{
	struct cursor c = cursor_over(rdata);
	struct fields f = { 0 };

	if (name_read(&c, &f.algorithm) != 0)
		return ERR_FORMAT;
	name_lower(&f.algorithm);
	f.time_s = (uint64_t)cursor_u16_be(&c) << 32;
	f.time_s |= cursor_u32_be(&c);
	f.fudge_s = cursor_u16_be(&c);
	f.mac = cursor_take(&c, cursor_u16_be(&c));
	f.original_id = cursor_u16_be(&c);
	f.error = cursor_u16_be(&c);
	f.other = cursor_take(&c, cursor_u16_be(&c));
	if (!cursor_done(&c))
		return ERR_FORMAT;
	*out = f;
	return 0;
}

/* RFC 8945 section 5.2: why a server did not take our signature. */
static int fail_error(const struct fields *f, struct err *err)
{
	switch (f->error) {
	case 16: return err_set(err, ERR_PEER, "BADSIG: the TSIG secret is another");
	case 17: return err_set(err, ERR_PEER, "BADKEY: no TSIG key of that name and algorithm");
	case 18: return err_set(err, ERR_PEER, "BADTIME: the clocks differ");
	case 22: return err_set(err, ERR_PEER, "BADTRUNC: it wants another length of TSIG");
	}
	return err_set(err, ERR_PEER, "TSIG error %u", f->error);
}

static int verify_mac(struct span answer, const struct message_last *last, const struct fields *f,
	const struct tsigkey *key, const struct tsig_mac *request, struct err *err)
{
	uint8_t header[12], size[2] = { 0, (uint8_t)request->n }, mac[HMAC_OCTETS_MAX];
	const struct span before = { request->octets, request->n };
	const struct span rest = { answer.p + 12, last->at - 12 };
	/* RFC 8945 section 4.3.1: the request's MAC goes before the message without its TSIG. */
	uint8_t room[2 + HMAC_OCTETS_MAX + 12];
	struct sink s = sink_into(room, sizeof(room));
	struct span parts[2];
	int rc;

	memcpy(header, answer.p, sizeof(header));
	count_record(header, -1);
	header[0] = (uint8_t)(f->original_id >> 8);
	header[1] = (uint8_t)f->original_id;
	sink_put(&s, (struct span){ size, 2 });
	sink_put(&s, before);
	sink_put(&s, (struct span){ header, sizeof(header) });
	parts[0] = sink_span(&s);
	parts[1] = rest;
	rc = compute(key, &last->owner, f, parts, 2, mac, err);
	if (rc != 0)
		return rc;
	/* RFC 8945 section 5.2.2.1 lets one accept a shorter MAC; we do not */
	if (!same_octets(f->mac, (struct span){ mac, hmac_octets(key->digest) }))
		return err_set(err, ERR_PEER, "the answer is not signed with our TSIG key");
	return 0;
}

int tsig_verify(struct span answer, const struct tsigkey *key, int64_t now_s,
	const struct tsig_mac *request, struct err *err)
{
	struct name owner, algorithm;
	struct message_last last;
	struct fields f;
	int rc = names_of(key, &owner, &algorithm, err);

	if (rc != 0)
		return rc;
	if (message_read_last(answer, &last) != 0 || last.type != TYPE_TSIG ||
		last.class != CLASS_ANY || last.ttl_s != 0 || read_fields(last.rdata, &f) != 0)
		return err_set(err, ERR_PEER,
			"the answer is not signed with our TSIG key: it has no TSIG");
	name_lower(&last.owner);
	if (f.error != 0)
		return fail_error(&f, err);
	if (!name_equal(&last.owner, &owner) || !name_equal(&f.algorithm, &algorithm))
		return err_set(err, ERR_PEER, "the answer is signed with another TSIG key");
	rc = verify_mac(answer, &last, &f, key, request, err);
	if (rc != 0)
		return rc;
	if (now_s > (int64_t)f.time_s + FUDGE_S || now_s < (int64_t)f.time_s - FUDGE_S)
		return err_set(err, ERR_PEER, "the answer's TSIG is of another time");
	return 0;
}
