/* SPDX-License-Identifier: Apache-2.0 */
#include "network/gwmp.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/sink.h"
#include "network/scan.h"

#define U32_MAX 0xffffffffll

static bool carries_gateway(enum gwmp_kind kind)
{
	return kind == GWMP_PUSH_DATA || kind == GWMP_PULL_DATA || kind == GWMP_TX_ACK;
}

static bool carries_json(enum gwmp_kind kind)
{
	return kind == GWMP_PUSH_DATA || kind == GWMP_PULL_RESP || kind == GWMP_TX_ACK;
}

int gwmp_read(struct span datagram, struct gwmp *out)
{
	struct cursor c = cursor_over(datagram);
	struct gwmp m = { 0 };
	uint8_t kind;

	m.version = cursor_u8(&c);
	m.token = cursor_u16_be(&c);
	kind = cursor_u8(&c);
	if (c.bad || m.version < 1 || m.version > GWMP_VERSION || kind > GWMP_TX_ACK)
		return ERR_FORMAT;
	m.kind = (enum gwmp_kind)kind;
	if (carries_gateway(m.kind))
		m.gateway = cursor_u64_be(&c);
	if (carries_json(m.kind))
		m.json = cursor_rest(&c);
	if (!cursor_done(&c))
		return ERR_FORMAT;
	*out = m;
	return 0;
}

int gwmp_write(const struct gwmp *in, uint8_t *out, size_t cap, size_t *n)
{
	struct sink s = sink_into(out, cap);

	sink_u8(&s, in->version);
	sink_u16_be(&s, in->token);
	sink_u8(&s, (uint8_t)in->kind);
	if (carries_gateway(in->kind))
		sink_u64_be(&s, in->gateway);
	if (carries_json(in->kind))
		sink_put(&s, in->json);
	if (!sink_fits(&s))
		return ERR_SPACE;
	*n = s.n;
	return 0;
}

bool gwmp_acknowledge(struct span datagram, uint8_t out[GWMP_ACK_OCTETS])
{
	struct gwmp m;

	if (gwmp_read(datagram, &m) < 0)
		return false;
	if (m.kind != GWMP_PUSH_DATA && m.kind != GWMP_PULL_DATA)
		return false;
	out[0] = m.version;
	out[1] = (uint8_t)(m.token >> 8);
	out[2] = (uint8_t)m.token;
	out[3] = m.kind == GWMP_PUSH_DATA ? GWMP_PUSH_ACK : GWMP_PULL_ACK;
	return true;
}

static bool key_is(struct span key, const char *word)
{
	return key.n == strlen(word) && memcmp(key.p, word, key.n) == 0;
}

/* The index of key in words, or -1; a key seen twice makes the scan bad. */
static int which(struct scan *s, struct span key, const char *const *words, uint32_t *seen)
{
	for (int i = 0; words[i]; i++) {
		if (!key_is(key, words[i]))
			continue;
		s->bad |= (*seen & 1u << i) != 0;
		*seen |= 1u << i;
		return i;
	}
	return -1;
}

/* What a packet says beside what it is kept as. */
struct aside {
	size_t octets; /* of data */
	bool fsk;      /* of modu */
};

/* "SF7BW125" as text, bits per second as a number. False: a rate we do not know. */
static bool read_datr(struct scan *s, struct rate *out)
{
	char text[16];
	struct span datr = { (const uint8_t *)text, 0 };

	if (!scan_is_text(s)) {
		out->bits_s = (uint32_t)scan_fixed(s, 0, 1, 1000000);
		return true;
	}
	datr.n = scan_text(s, text, sizeof(text));
	return rate_read(datr, out) == 0;
}

/* "4/5" to "4/8"; some forwarders write "OFF" for none. */
static void read_codr(struct scan *s, uint8_t *out)
{
	char text[8];

	if (scan_text(s, text, sizeof(text)) == 3 && text[0] == '4' && text[1] == '/' &&
		text[2] >= '5' && text[2] <= '8')
		*out = (uint8_t)(text[2] - '0');
}

/* False: a modulation we do not know. */
static bool read_modu(struct scan *s, bool *fsk)
{
	char text[16];

	scan_text(s, text, sizeof(text));
	*fsk = strcmp(text, "FSK") == 0;
	return *fsk || strcmp(text, "LORA") == 0;
}

/* datr and modu are of one kind; no modu is LoRa. */
static bool rate_is_whole(const struct rate *r, bool fsk)
{
	return fsk ? r->bits_s && !r->sf : r->sf && !r->bits_s;
}

/* The octets of a "data" member; false when they are not base64, none, or too many. */
static bool read_data(struct scan *s, uint8_t *data, size_t *n)
{
	char text[BASE64_CHARS(GWMP_FRAME_MAX) + 1];
	struct span chars = { (const uint8_t *)text, 0 };

	*n = 0;
	chars.n = scan_text(s, text, sizeof(text));
	return base64_read(chars, data, GWMP_FRAME_MAX, n) == 0 && *n > 0;
}

enum {
	RX_TIME,
	RX_TMMS,
	RX_TMST,
	RX_FREQ,
	RX_CHAN,
	RX_RFCH,
	RX_STAT,
	RX_MODU,
	RX_DATR,
	RX_CODR,
	RX_RSSI,
	RX_LSNR,
	RX_SIZE,
	RX_DATA
};
static const char *const rx_words[] = { "time", "tmms", "tmst", "freq", "chan", "rfch", "stat",
	"modu", "datr", "codr", "rssi", "lsnr", "size", "data", NULL };
#define RX_NEEDED (1u << RX_TMST | 1u << RX_FREQ | 1u << RX_DATR | 1u << RX_DATA)

/* One member of an rxpk; false when its value is well-formed JSON that we cannot use. */
static bool read_rx_member(struct scan *s, int member, struct gwmp_rxpk *rx, struct aside *a)
{
	switch (member) {
	case RX_TIME: scan_text(s, rx->time, sizeof(rx->time)); return true;
	case RX_TMMS:
		rx->has_tmms = true;
		rx->tmms = (uint64_t)scan_fixed(s, 0, 0, INT64_MAX);
		return true;
	case RX_TMST: rx->tmst = (uint32_t)scan_fixed(s, 0, 0, U32_MAX); return true;
	case RX_FREQ: rx->freq = (uint32_t)scan_fixed(s, 6, 0, U32_MAX); return true;
	case RX_CHAN: rx->chan = (uint8_t)scan_fixed(s, 0, 0, 255); return true;
	case RX_RFCH: rx->rfch = (uint8_t)scan_fixed(s, 0, 0, 255); return true;
	case RX_STAT: rx->stat = (int8_t)scan_fixed(s, 0, -128, 127); return true;
	case RX_MODU: return read_modu(s, &a->fsk);
	case RX_DATR: return read_datr(s, &rx->rate);
	case RX_CODR: read_codr(s, &rx->codr); return true;
	case RX_RSSI: rx->rssi = (int16_t)scan_fixed(s, 0, -1000, 1000); return true;
	case RX_LSNR: rx->lsnr = (int16_t)scan_fixed(s, 1, -1000, 1000); return true;
	case RX_SIZE: rx->size = (uint8_t)scan_fixed(s, 0, 0, GWMP_FRAME_MAX); return true;
	case RX_DATA: return read_data(s, rx->data, &a->octets);
	default: scan_skip(s); return true;
	}
}

/* True when rx is a frame to keep; the scan stays good when only this frame is unusable. */
static bool read_rxpk(struct scan *s, struct gwmp_rxpk *rx)
{
	uint32_t seen = 0;
	struct span key;
	bool usable = true;
	struct aside a = { 0 };

	*rx = (struct gwmp_rxpk){ .stat = 1 };
	scan_open(s, '{');
	while (scan_key(s, &key))
		usable &= read_rx_member(s, which(s, key, rx_words, &seen), rx, &a);
	if (s->bad || !usable || (seen & RX_NEEDED) != RX_NEEDED || rx->stat != 1)
		return false;
	if (!rate_is_whole(&rx->rate, a.fsk))
		return false;
	/* What "size" says must be what "data" holds: a shorter frame was cut on its way. */
	if (seen & 1u << RX_SIZE && rx->size != a.octets)
		return false;
	rx->size = (uint8_t)a.octets;
	return true;
}

enum { ST_TIME, ST_LATI, ST_LONG, ST_ALTI, ST_RXNB, ST_RXOK, ST_RXFW, ST_ACKR, ST_DWNB, ST_TXNB };
static const char *const st_words[] = { "time", "lati", "long", "alti", "rxnb", "rxok", "rxfw",
	"ackr", "dwnb", "txnb", NULL };

static void read_stat_member(struct scan *s, int member, struct gwmp_stat *st)
{
	switch (member) {
	case ST_TIME: scan_text(s, st->time, sizeof(st->time)); break;
	case ST_LATI: st->lati = (double)scan_fixed(s, 6, -90000000, 90000000) / 1e6; break;
	case ST_LONG: st->longi = (double)scan_fixed(s, 6, -180000000, 180000000) / 1e6; break;
	case ST_ALTI: st->alti = (int32_t)scan_fixed(s, 0, -20000, 100000); break;
	case ST_RXNB: st->rxnb = (uint32_t)scan_fixed(s, 0, 0, U32_MAX); break;
	case ST_RXOK: st->rxok = (uint32_t)scan_fixed(s, 0, 0, U32_MAX); break;
	case ST_RXFW: st->rxfw = (uint32_t)scan_fixed(s, 0, 0, U32_MAX); break;
	case ST_ACKR: st->ackr = (uint16_t)scan_fixed(s, 1, 0, 65535); break;
	case ST_DWNB: st->dwnb = (uint32_t)scan_fixed(s, 0, 0, U32_MAX); break;
	case ST_TXNB: st->txnb = (uint32_t)scan_fixed(s, 0, 0, U32_MAX); break;
	default: scan_skip(s);
	}
}

static void read_stat(struct scan *s, struct gwmp_stat *st)
{
	uint32_t seen = 0;
	struct span key;

	*st = (struct gwmp_stat){ 0 };
	scan_open(s, '{');
	while (scan_key(s, &key))
		read_stat_member(s, which(s, key, st_words, &seen), st);
	st->has_place = (seen & (1u << ST_LATI | 1u << ST_LONG)) == (1u << ST_LATI | 1u << ST_LONG);
}

static void read_rxpks(struct scan *s, struct gwmp_push *out)
{
	unsigned all = 0;

	scan_open(s, '[');
	while (scan_item(s)) {
		if (++all > GWMP_RXPK_MAX) {
			s->bad = true;
			return;
		}
		if (read_rxpk(s, &out->rxpk[out->count]))
			out->count++;
		else
			out->ignored++;
	}
}

int gwmp_read_push(struct span json, struct gwmp_push *out, struct err *err)
{
	static const char *const words[] = { "rxpk", "stat", NULL };
	struct scan s = scan_over(json);
	uint32_t seen = 0;
	struct span key;
	int member;

	out->count = out->ignored = 0;
	out->has_stat = false;
	scan_open(&s, '{');
	while (scan_key(&s, &key)) {
		member = which(&s, key, words, &seen);
		if (member == 0)
			read_rxpks(&s, out);
		else if (member == 1)
			read_stat(&s, &out->stat);
		else
			scan_skip(&s);
	}
	if (!scan_done(&s)) {
		out->count = 0;
		return err_set(err, ERR_FORMAT, "PUSH_DATA: malformed JSON at octet %zu of %zu",
			(size_t)(s.p - json.p), json.n);
	}
	out->has_stat = seen & 2;
	return 0;
}

/* Text growing in the caller's octets; asked once at the end, like a sink. */
struct text {
	char *p;
	size_t n, cap;
	bool bad;
};

static __attribute__((format(printf, 2, 3))) void put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->bad)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->p + t->n, t->cap - t->n, fmt, ap);
	va_end(ap);
	t->bad = n < 0 || (size_t)n >= t->cap - t->n;
	if (!t->bad)
		t->n += (size_t)n;
}

static int text_done(const struct text *t, size_t *n)
{
	if (t->bad)
		return ERR_SPACE;
	*n = t->n;
	return 0;
}

/* Times are digits and punctuation; what would need an escape is left out. */
static void put_time(struct text *t, const char *time)
{
	for (const char *p = time; *p; p++)
		if (*p < 0x20 || *p > 0x7e || *p == '"' || *p == '\\')
			return;
	if (*time)
		put(t, "\"time\":\"%s\",", time);
}

static void put_rate(struct text *t, const struct rate *r, uint8_t codr)
{
	char datr[RATE_TEXT_MAX];

	if (rate_is_fsk(r))
		put(t, "\"modu\":\"FSK\",\"datr\":%u,", r->bits_s);
	else if (rate_write(r, datr, sizeof(datr)) < 0)
		t->bad = true;
	else
		put(t, "\"modu\":\"LORA\",\"datr\":\"%s\",", datr);
	if (codr)
		put(t, "\"codr\":\"4/%u\",", codr);
}

static void put_data(struct text *t, const uint8_t *data, size_t n)
{
	char text[BASE64_CHARS(GWMP_FRAME_MAX) + 1];

	if (base64_write((struct span){ data, n }, text, sizeof(text)) < 0)
		t->bad = true;
	else
		put(t, "\"size\":%zu,\"data\":\"%s\"", n, text);
}

static void put_tenths(struct text *t, const char *name, int v)
{
	put(t, "\"%s\":%s%d.%d,", name, v < 0 ? "-" : "", (v < 0 ? -v : v) / 10,
		(v < 0 ? -v : v) % 10);
}

static void put_freq(struct text *t, uint32_t hz)
{
	put(t, "\"freq\":%u.%06u,", hz / 1000000, hz % 1000000);
}

static void put_rxpk(struct text *t, const struct gwmp_rxpk *rx)
{
	put(t, "{\"tmst\":%u,", rx->tmst);
	put_time(t, rx->time);
	if (rx->has_tmms)
		put(t, "\"tmms\":%llu,", (unsigned long long)rx->tmms);
	put(t, "\"chan\":%u,\"rfch\":%u,", rx->chan, rx->rfch);
	put_freq(t, rx->freq);
	put(t, "\"stat\":%d,", rx->stat);
	put_rate(t, &rx->rate, rx->codr);
	put(t, "\"rssi\":%d,", rx->rssi);
	put_tenths(t, "lsnr", rx->lsnr);
	put_data(t, rx->data, rx->size);
	put(t, "}");
}

static void put_stat(struct text *t, const struct gwmp_stat *st)
{
	put(t, "\"stat\":{");
	put_time(t, st->time);
	if (st->has_place)
		put(t, "\"lati\":%.6f,\"long\":%.6f,\"alti\":%d,", st->lati, st->longi, st->alti);
	put(t, "\"rxnb\":%u,\"rxok\":%u,\"rxfw\":%u,", st->rxnb, st->rxok, st->rxfw);
	put_tenths(t, "ackr", st->ackr);
	put(t, "\"dwnb\":%u,\"txnb\":%u}", st->dwnb, st->txnb);
}

int gwmp_write_push(const struct gwmp_push *in, char *out, size_t cap, size_t *n)
{
	struct text t = { .p = out, .cap = cap };

	put(&t, "{");
	if (in->count || !in->has_stat)
		put(&t, "\"rxpk\":[");
	for (unsigned i = 0; i < in->count; i++) {
		put(&t, i ? "," : "");
		put_rxpk(&t, &in->rxpk[i]);
	}
	if (in->count || !in->has_stat)
		put(&t, "]");
	if (in->has_stat) {
		put(&t, in->count ? "," : "");
		put_stat(&t, &in->stat);
	}
	put(&t, "}");
	return text_done(&t, n);
}

enum {
	TX_IMME,
	TX_TMST,
	TX_FREQ,
	TX_RFCH,
	TX_POWE,
	TX_MODU,
	TX_DATR,
	TX_CODR,
	TX_FDEV,
	TX_IPOL,
	TX_NCRC,
	TX_SIZE,
	TX_DATA
};
static const char *const tx_words[] = { "imme", "tmst", "freq", "rfch", "powe", "modu", "datr",
	"codr", "fdev", "ipol", "ncrc", "size", "data", NULL };
#define TX_NEEDED (1u << TX_FREQ | 1u << TX_DATR | 1u << TX_DATA)

static bool read_tx_member(struct scan *s, int member, struct gwmp_txpk *tx, struct aside *a)
{
	switch (member) {
	case TX_IMME: tx->imme = scan_bool(s); return true;
	case TX_TMST: tx->tmst = (uint32_t)scan_fixed(s, 0, 0, U32_MAX); return true;
	case TX_FREQ: tx->freq = (uint32_t)scan_fixed(s, 6, 0, U32_MAX); return true;
	case TX_RFCH: tx->rfch = (uint8_t)scan_fixed(s, 0, 0, 255); return true;
	case TX_POWE: tx->powe = (int8_t)scan_fixed(s, 0, -128, 127); return true;
	case TX_MODU: return read_modu(s, &a->fsk);
	case TX_DATR: return read_datr(s, &tx->rate);
	case TX_CODR: read_codr(s, &tx->codr); return true;
	case TX_FDEV: tx->fdev = (uint16_t)scan_fixed(s, 0, 0, 65535); return true;
	case TX_IPOL: tx->ipol = scan_bool(s); return true;
	case TX_NCRC: tx->ncrc = scan_bool(s); return true;
	case TX_SIZE: tx->size = (uint8_t)scan_fixed(s, 0, 0, GWMP_FRAME_MAX); return true;
	case TX_DATA: return read_data(s, tx->data, &a->octets);
	default: scan_skip(s); return true;
	}
}

/* The only object of an outer object: {"txpk":{...}}; false at anything else. */
static bool enter_only(struct scan *s, const char *word)
{
	struct span key;

	scan_open(s, '{');
	if (!scan_key(s, &key) || !key_is(key, word))
		return false;
	scan_open(s, '{');
	return !s->bad;
}

static bool leave_only(struct scan *s)
{
	struct span key;

	return !scan_key(s, &key) && scan_done(s);
}

int gwmp_read_txpk(struct span json, struct gwmp_txpk *out, struct err *err)
{
	struct scan s = scan_over(json);
	struct gwmp_txpk tx = { 0 };
	uint32_t seen = 0;
	struct span key;
	bool usable = true;
	struct aside a = { 0 };

	if (!enter_only(&s, "txpk"))
		return err_set(err, ERR_FORMAT, "PULL_RESP: no txpk");
	while (scan_key(&s, &key))
		usable &= read_tx_member(&s, which(&s, key, tx_words, &seen), &tx, &a);
	if (!leave_only(&s))
		return err_set(err, ERR_FORMAT, "PULL_RESP: malformed JSON");
	if (!usable || (seen & TX_NEEDED) != TX_NEEDED || !rate_is_whole(&tx.rate, a.fsk))
		return err_set(err, ERR_FORMAT, "PULL_RESP: freq, datr or data missing or wrong");
	if (!tx.imme && !(seen & 1u << TX_TMST))
		return err_set(err, ERR_FORMAT, "PULL_RESP: neither imme nor tmst");
	if (seen & 1u << TX_SIZE && tx.size != a.octets)
		return err_set(err, ERR_FORMAT, "PULL_RESP: size is %u, data holds %zu", tx.size,
			a.octets);
	tx.size = (uint8_t)a.octets;
	*out = tx;
	return 0;
}

int gwmp_write_txpk(const struct gwmp_txpk *in, char *out, size_t cap, size_t *n)
{
	struct text t = { .p = out, .cap = cap };

	put(&t, "{\"txpk\":{");
	if (in->imme)
		put(&t, "\"imme\":true,");
	else
		put(&t, "\"imme\":false,\"tmst\":%u,", in->tmst);
	put_freq(&t, in->freq);
	put(&t, "\"rfch\":%u,\"powe\":%d,", in->rfch, in->powe);
	put_rate(&t, &in->rate, in->codr);
	if (rate_is_fsk(&in->rate))
		put(&t, "\"fdev\":%u,", in->fdev);
	put(&t, "\"ipol\":%s,\"ncrc\":%s,", in->ipol ? "true" : "false",
		in->ncrc ? "true" : "false");
	put_data(&t, in->data, in->size);
	put(&t, "}}");
	return text_done(&t, n);
}

static const char *const tx_errors[] = {
	[GWMP_TX_NONE] = "NONE",
	[GWMP_TX_TOO_LATE] = "TOO_LATE",
	[GWMP_TX_TOO_EARLY] = "TOO_EARLY",
	[GWMP_TX_COLLISION_PACKET] = "COLLISION_PACKET",
	[GWMP_TX_COLLISION_BEACON] = "COLLISION_BEACON",
	[GWMP_TX_FREQ] = "TX_FREQ",
	[GWMP_TX_POWER] = "TX_POWER",
	[GWMP_TX_GPS_UNLOCKED] = "GPS_UNLOCKED",
	[GWMP_TX_OTHER] = "OTHER",
};

const char *gwmp_tx_error_word(enum gwmp_tx_error e)
{
	return tx_errors[e];
}

static enum gwmp_tx_error read_tx_error(struct scan *s)
{
	char text[32];
	unsigned e = GWMP_TX_NONE;

	scan_text(s, text, sizeof(text));
	while (e < GWMP_TX_OTHER && strcmp(text, tx_errors[e]) != 0)
		e++;
	return (enum gwmp_tx_error)e;
}

int gwmp_read_tx_ack(struct span json, enum gwmp_tx_error *out, struct err *err)
{
	static const char *const words[] = { "error", NULL };
	struct scan s = scan_over(json);
	enum gwmp_tx_error e = GWMP_TX_NONE;
	uint32_t seen = 0;
	struct span key;

	if (json.n == 0) {
		*out = GWMP_TX_NONE;
		return 0;
	}
	if (!enter_only(&s, "txpk_ack"))
		return err_set(err, ERR_FORMAT, "TX_ACK: no txpk_ack");
	while (scan_key(&s, &key)) {
		if (which(&s, key, words, &seen) == 0)
			e = read_tx_error(&s);
		else
			scan_skip(&s);
	}
	if (!leave_only(&s))
		return err_set(err, ERR_FORMAT, "TX_ACK: malformed JSON");
	*out = e;
	return 0;
}

int gwmp_write_tx_ack(enum gwmp_tx_error in, char *out, size_t cap, size_t *n)
{
	struct text t = { .p = out, .cap = cap };

	put(&t, "{\"txpk_ack\":{\"error\":\"%s\"}}", gwmp_tx_error_word(in));
	return text_done(&t, n);
}
