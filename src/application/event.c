/* SPDX-License-Identifier: Apache-2.0 */
#include "application/event.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/sink.h"
#include "json/writer.h"

void event_time(int64_t wall_ms, char out[EVENT_TIME_CHARS])
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm = { 0 };
	char text[24] = "";

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, EVENT_TIME_CHARS, "%s.%03d+00:00", text, (int)(wall_ms % 1000));
}

static void time_member(struct writer *w, const char *given, int64_t wall_ms)
{
	char text[EVENT_TIME_CHARS];

	if (given && given[0]) {
		writer_text(w, "time", given);
		return;
	}
	event_time(wall_ms, text);
	writer_text(w, "time", text);
}

/* FNV-1a of 64 bits. */
static uint64_t fold(uint64_t h, struct span octets)
{
	for (size_t i = 0; i < octets.n; i++)
		h = (h ^ octets.p[i]) * 1099511628211u;
	return h;
}

/* RFC 9562 section 5.8: a UUID whose 122 free bits are ours to fill. */
static void deduplication_id(struct writer *w, const struct uplink *u, uint8_t kind)
{
	uint8_t p[16 + SESSION_ID_MAX];
	struct sink s = sink_into(p, sizeof(p));
	uint64_t high, low;
	char text[37];

	sink_u8(&s, kind);
	sink_u64_be(&s, u->dev_eui);
	sink_u32_be(&s, u->f_cnt);
	sink_put(&s, (struct span){ u->session.octets, u->session.n });
	high = fold(14695981039346656037u, sink_span(&s));
	low = fold(high ^ 0x9e3779b97f4a7c15u, sink_span(&s));
	snprintf(text, sizeof(text), "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
		(unsigned)(high >> 16 & 0xffff), (unsigned)(0x8000 | (high & 0x0fff)),
		(unsigned)(0x8000 | (low >> 48 & 0x3fff)),
		(unsigned long long)(low & 0xffffffffffffu));
	writer_text(w, "deduplicationId", text);
}

static void word(struct writer *w, const char *name, const char *text)
{
	writer_text(w, name, text ? text : "");
}

static void device_info(struct writer *w, const struct event_device *d, uint64_t dev_eui)
{
	writer_open(w, "deviceInfo", '{');
	word(w, "tenantId", d->tenant_id);
	word(w, "tenantName", d->tenant_name);
	word(w, "applicationId", d->application_id);
	word(w, "applicationName", d->application_name);
	word(w, "deviceProfileId", d->device_profile_id);
	word(w, "deviceProfileName", d->device_profile_name);
	word(w, "deviceName", d->device_name);
	writer_id(w, "devEui", 8, dev_eui);
	writer_text(w, "deviceClassEnabled", "CLASS_A");
	writer_open(w, "tags", '{');
	for (size_t i = 0; i < d->tag_count; i++)
		word(w, d->tags[i].key, d->tags[i].value);
	writer_close(w);
	writer_close(w);
}

static struct writer begin(struct buf *out, const char *event)
{
	struct writer w = writer_into(out);

	writer_open(&w, NULL, '{');
	writer_text(&w, "event", event);
	return w;
}

static void end(struct buf *out, struct writer *w)
{
	writer_close(w);
	if (!writer_ok(w))
		out->bad = true;
	buf_text(out, "\n");
}

static void gateway(struct writer *w, const struct uplink_gateway *g)
{
	writer_open(w, NULL, '{');
	writer_id(w, "gatewayId", 8, g->gateway_id);
	writer_u64(w, "uplinkId", g->uplink_id);
	if (g->time[0])
		writer_text(w, "gwTime", g->time);
	writer_real(w, "rssi", g->rssi, 0);
	writer_real(w, "snr", g->snr, 1);
	writer_open(w, "location", '{');
	if (g->located) {
		writer_real(w, "latitude", g->latitude, 6);
		writer_real(w, "longitude", g->longitude, 6);
	}
	writer_close(w);
	writer_open(w, "metadata", '{');
	writer_close(w);
	writer_text(w, "crcStatus", "CRC_OK");
	writer_close(w);
}

/* "4/5" is "CR_4_5" there. */
static void code_rate(struct writer *w, const char *rate)
{
	char text[UPLINK_WORD_MAX + 4];

	if (!rate[0])
		return;
	snprintf(text, sizeof(text), "CR_%s", rate);
	for (char *c = text; *c; c++)
		if (*c == '/')
			*c = '_';
	writer_text(w, "codeRate", text);
}

static void tx_info(struct writer *w, const struct uplink *u)
{
	writer_open(w, "txInfo", '{');
	writer_u64(w, "frequency", u->frequency_hz);
	writer_open(w, "modulation", '{');
	writer_open(w, "lora", '{');
	writer_u64(w, "bandwidth", u->bandwidth_hz);
	writer_u64(w, "spreadingFactor", u->spreading_factor);
	code_rate(w, u->code_rate);
	writer_close(w);
	writer_close(w);
	writer_close(w);
}

/* "EU868" is "eu868" there. */
static void region(struct writer *w, const char *name)
{
	char text[UPLINK_WORD_MAX];
	size_t i;

	for (i = 0; name[i] && i + 1 < sizeof(text); i++)
		text[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
	text[i] = 0;
	writer_text(w, "regionConfigId", text);
}

void event_up(struct buf *out, const struct event_device *device, const struct uplink *u,
	struct span data, int64_t wall_ms)
{
	struct writer w = begin(out, "up");

	deduplication_id(&w, u, 'u');
	time_member(&w, u->time, wall_ms);
	device_info(&w, device, u->dev_eui);
	writer_id(&w, "devAddr", 4, u->dev_addr);
	if (u->has_adr)
		writer_bool(&w, "adr", u->adr);
	writer_u64(&w, "dr", u->dr);
	writer_u64(&w, "fCnt", u->f_cnt);
	writer_u64(&w, "fPort", u->has_f_port ? u->f_port : 0);
	writer_bool(&w, "confirmed", u->confirmed);
	writer_base64(&w, "data", data);
	writer_open(&w, "rxInfo", '[');
	for (uint8_t i = 0; i < u->gateway_count; i++)
		gateway(&w, &u->gateway[i]);
	writer_close(&w);
	tx_info(&w, u);
	region(&w, u->region);
	end(out, &w);
}

void event_join(struct buf *out, const struct event_device *device, const struct uplink *first,
	int64_t wall_ms)
{
	struct writer w = begin(out, "join");

	deduplication_id(&w, first, 'j');
	time_member(&w, NULL, wall_ms);
	device_info(&w, device, first->dev_eui);
	writer_id(&w, "devAddr", 4, first->dev_addr);
	writer_open(&w, "joinServerContext", '{');
	writer_hex(&w, "sessionKeyId", (struct span){ first->session.octets, first->session.n });
	writer_close(&w);
	end(out, &w);
}

void event_txack(struct buf *out, const struct event_device *device, const struct downlink *d,
	int64_t wall_ms)
{
	struct writer w = begin(out, "txack");

	writer_u64(&w, "downlinkId", d->number);
	time_member(&w, NULL, wall_ms);
	device_info(&w, device, d->dev_eui);
	writer_text(&w, "queueItemId", d->id);
	writer_u64(&w, "fCntDown", d->f_cnt);
	end(out, &w);
}

void event_ack(struct buf *out, const struct event_device *device, const struct downlink *d,
	bool acknowledged, int64_t wall_ms)
{
	struct uplink named = { .dev_eui = d->dev_eui, .f_cnt = d->f_cnt, .session = d->session };
	struct writer w = begin(out, "ack");

	deduplication_id(&w, &named, 'a');
	time_member(&w, NULL, wall_ms);
	device_info(&w, device, d->dev_eui);
	writer_text(&w, "queueItemId", d->id);
	writer_bool(&w, "acknowledged", acknowledged);
	writer_u64(&w, "fCntDown", d->f_cnt);
	end(out, &w);
}

void event_log(struct buf *out, const struct event_device *device, uint64_t dev_eui,
	const char *level, const char *code, const char *description, const struct downlink *d,
	int64_t wall_ms)
{
	struct writer w = begin(out, "log");

	time_member(&w, NULL, wall_ms);
	device_info(&w, device, dev_eui);
	writer_text(&w, "level", level);
	writer_text(&w, "code", code);
	writer_text(&w, "description", description);
	writer_open(&w, "context", '{');
	if (d)
		writer_text(&w, "queue_item_id", d->id);
	writer_close(&w);
	end(out, &w);
}
