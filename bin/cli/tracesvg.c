/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracesvg - a trace as a picture: the chain of trust as a tree of boxes, green where it holds, and
 * a red cross where it is broken.
 *
 *   +- . ----------- secure +
 *   |- DNSKEY 53665         |      zones, then the records in each, then who presents what;
 *   +-----------------------+      a line is the step from one to the next
 *     |__+- example - secure +
 */
#include "cli/tracework.h"

#include "base/hex.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WIDTH     960
#define MARGIN    24
#define INDENT    36
#define LINE      18
#define HEADER    28
#define GAP       22
#define LINES_MAX 24
#define LINE_TEXT 120

enum colour { GREEN, AMBER, RED, GREY };

static const char *const strokes[] = { "#1b7f3b", "#b97700", "#c62121", "#767676" };
static const char *const fills[] = { "#e6f4ea", "#fff4dc", "#fde8e8", "#f1f1f1" };
static const char *const marks[] = { "✓", "!", "✗", "?" };

static enum colour colour_of(enum trust t)
{
	static const enum colour by[] = { [TRUST_SECURE] = GREEN,
		[TRUST_INSECURE] = AMBER,
		[TRUST_UNKNOWN] = GREY,
		[TRUST_BOGUS] = RED };

	return by[t];
}

struct line {
	enum colour colour;
	char text[LINE_TEXT * 2];
};

struct box {
	int x, y, height;
	enum colour colour;
	char title[LINE_TEXT * 2];
	const char *badge;
	size_t count;
	struct line line[LINES_MAX];
};

struct picture {
	struct buf *out;
	int y; /* where the next box begins */
	int zone_x[TRUST_ZONES_MAX], zone_bottom[TRUST_ZONES_MAX];
	int step_x[EVIDENCE_STEPS_MAX], step_y[EVIDENCE_STEPS_MAX], step_bottom[EVIDENCE_STEPS_MAX];
};

static const char *text_of(const struct name *name, char out[NAME_TEXT_MAX])
{
	if (name_write_text(name, out, NAME_TEXT_MAX) != 0)
		out[0] = '\0';
	return out;
}

/* Names hold any octet, so what XML would take for its own is written as it wants it. */
static void put_escaped(struct buf *t, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			buf_text(t, "&amp;");
		else if (*text == '<')
			buf_text(t, "&lt;");
		else if (*text == '>')
			buf_text(t, "&gt;");
		else if ((unsigned char)*text >= ' ')
			buf_put(t, (struct span){ (const uint8_t *)text, 1 });
	}
}

static void put_text(struct buf *t, int x, int y, const char *attributes, const char *text)
{
	buf_printf(t, "<text x=\"%d\" y=\"%d\" %s>", x, y, attributes);
	put_escaped(t, text);
	buf_text(t, "</text>\n");
}

static __attribute__((format(printf, 3, 4))) void add(struct box *b, enum colour colour,
	const char *fmt, ...)
{
	struct line *l = &b->line[b->count];
	va_list ap;

	if (b->count == LINES_MAX)
		return;
	b->count++;
	l->colour = colour;
	va_start(ap, fmt);
	vsnprintf(l->text, sizeof(l->text), fmt, ap);
	va_end(ap);
	if (strlen(l->text) > LINE_TEXT)
		strcpy(l->text + LINE_TEXT - 3, "...");
}

/* Places the box below what is there. */
static void put_box(struct picture *p, struct box *b)
{
	int width = WIDTH - MARGIN - b->x;

	b->y = p->y;
	b->height = HEADER + LINE * (int)b->count + (b->count ? 8 : 0);
	p->y += b->height + GAP;
	buf_printf(p->out,
		"<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\" fill=\"%s\" stroke=\"%s\" "
		"stroke-width=\"%d\"/>\n",
		b->x, b->y, width, b->height, fills[b->colour], strokes[b->colour],
		b->colour == RED ? 3 : 1);
	put_text(p->out, b->x + 12, b->y + 19, "font-weight=\"bold\" font-size=\"14\"", b->title);
	buf_printf(p->out,
		"<text x=\"%d\" y=\"%d\" text-anchor=\"end\" font-weight=\"bold\" fill=\"%s\">",
		WIDTH - MARGIN - 12, b->y + 19, strokes[b->colour]);
	buf_printf(p->out, "%s %s</text>\n", marks[b->colour], b->badge);
	for (size_t i = 0; i < b->count; i++) {
		const struct line *l = &b->line[i];
		int y = b->y + HEADER + LINE * (int)(i + 1) - 5;

		buf_printf(p->out, "<text x=\"%d\" y=\"%d\" fill=\"%s\">%s</text>\n", b->x + 14, y,
			strokes[l->colour], marks[l->colour]);
		put_text(p->out, b->x + 32, y, "", l->text);
	}
}

/* From the foot of a box to the side of one below it; broken: with a cross on it. */
static void put_elbow(struct picture *p, int from_x, int from_y, const struct box *to,
	enum colour colour)
{
	int x = from_x + INDENT / 2, y = to->y + HEADER / 2;

	buf_printf(p->out,
		"<path d=\"M%d %d V%d H%d\" fill=\"none\" stroke=\"%s\" stroke-width=\"%d\"%s/>\n",
		x, from_y, y, to->x, strokes[colour], colour == GREEN ? 2 : 3,
		colour == GREEN ? "" : " stroke-dasharray=\"6 4\"");
	if (colour != RED)
		return;
	buf_printf(p->out,
		"<circle cx=\"%d\" cy=\"%d\" r=\"11\" fill=\"#fff\" stroke=\"%s\" stroke-width=\"3\"/>"
		"<path d=\"M%d %d l10 10 m0 -10 l-10 10\" stroke=\"%s\" stroke-width=\"3\"/>\n",
		x, y - 1, strokes[RED], x - 5, y - 6, strokes[RED]);
}

static void add_expiry(struct box *b, const struct trust_set *set)
{
	char algorithm[32], at[SIGNATURE_TIME_MAX], type[16];
	const char *word =
		set->kind == TRUST_DENIAL ? "denial" : rr_type_word(set->type, type, sizeof(type));

	for (size_t i = 0; i < set->sig_count; i++) {
		const struct signature *s = &set->sig[i];

		signature_algorithm_text(s->algorithm, algorithm, sizeof(algorithm));
		signature_time_text(s->state == SIGNATURE_EARLY ? s->inception : s->expiration, at);
		add(b, s->state == SIGNATURE_GOOD ? GREEN : RED,
			"%s signed by key %u, %s, %s %s: %s", word, s->tag, algorithm,
			s->state == SIGNATURE_EARLY ? "from" : "until", at,
			signature_state_word(s->state));
	}
}

/* Servers that do not say what the best one says. */
static void add_servers(struct box *b, const struct trust_set *set)
{
	char server[ASKED_SERVER_TEXT_MAX], type[16];
	const struct trust_said *best = &set->said[set->best];

	for (size_t i = 0; set->split && i < set->said_count; i++) {
		const struct trust_said *s = &set->said[i];

		if (s->trust == best->trust && s->kind == best->kind && s->digest == best->digest)
			continue;
		asked_server_text(&s->host, &s->address, server);
		add(b, AMBER, "%s: server %.60s %.80s", rr_type_word(set->type, type, sizeof(type)),
			server, s->trust == best->trust ? "has other records" : s->why);
	}
}

static void fill_zone(const struct trust_zone *z, struct box *b)
{
	char algorithm[32];

	for (size_t i = 0; i < z->ds_count; i++) {
		const struct trust_ds *d = &z->ds_record[i];

		signature_algorithm_text(d->algorithm, algorithm, sizeof(algorithm));
		add(b,
			d->state == TRUST_DIGEST_FITS           ? GREEN
				: d->state == TRUST_DIGEST_OPEN ? GREY
				: d->state == TRUST_DIGEST_UNKNOWN || d->state == TRUST_DIGEST_WEAK
				? AMBER
				: RED,
			"DS %u, %s, digest type %u, %s", d->tag, algorithm, d->digest,
			trust_digest_word(d->state));
	}
	add_expiry(b, &z->ds);
	for (size_t i = 0; i < z->key_count; i++) {
		const struct trust_key *k = &z->key[i];

		signature_algorithm_text(k->algorithm, algorithm, sizeof(algorithm));
		add(b, k->entry ? GREEN : GREY, "DNSKEY %u, %s%s%s", k->tag, algorithm,
			!k->entry             ? ""
				: z->anchored ? ", the trust anchor"
					      : ", vouched for by the DS",
			k->signs ? ", signs the keys" : "");
	}
	add_expiry(b, &z->dnskey);
	add_servers(b, &z->ds);
	add_servers(b, &z->dnskey);
}

/* The zone where the trouble begins is red; those below it only suffer from it. */
static bool is_origin(const struct trust_report *r, const struct trust_zone *z)
{
	struct name up;

	if (!name_parent(&z->zone, &up))
		return true;
	for (size_t i = 0; i < r->zone_count; i++)
		if (r->zone[i] != z && name_is_within(&up, &r->zone[i]->zone) &&
			r->zone[i]->trust == z->trust)
			return false;
	return true;
}

static size_t parent_of(const struct trust_report *r, size_t zone)
{
	size_t best = zone;

	for (size_t i = 0; i < zone; i++)
		if (name_is_within(&r->zone[zone]->zone, &r->zone[i]->zone) &&
			(best == zone ||
				name_labels(&r->zone[i]->zone) > name_labels(&r->zone[best]->zone)))
			best = i;
	return best;
}

static void draw_step(struct picture *p, const struct trust_report *r, size_t i)
{
	const struct trust_step *s = r->step[i];
	const struct trust_zone *z = r->zone[s->zone];
	bool own = z->trust == TRUST_SECURE;
	char name[NAME_TEXT_MAX], type[16];
	struct box b = { .x = p->zone_x[s->zone] + INDENT,
		.colour = own ? colour_of(s->set.trust) : GREY,
		.badge = own ? trust_word(s->set.trust) : "cannot be proved" };

	snprintf(b.title, sizeof(b.title), "%.90s %s", text_of(&s->set.owner, name),
		rr_type_word(s->set.type, type, sizeof(type)));
	if (s->set.kind == TRUST_DENIAL)
		add(&b, own ? b.colour : GREY, "there is no such record%s",
			own && s->set.trust == TRUST_SECURE ? ", and that is proved" : "");
	if (s->target.n)
		add(&b, b.colour, "is an alias of %s", text_of(&s->target, name));
	if (own && s->set.why[0])
		add(&b, b.colour, "%s", s->set.why);
	add_expiry(&b, &s->set);
	add_servers(&b, &s->set);
	put_box(p, &b);
	put_elbow(p, p->zone_x[s->zone], p->zone_bottom[s->zone], &b, b.colour);
	p->step_x[i] = b.x;
	p->step_y[i] = b.y;
	p->step_bottom[i] = b.y + b.height;
}

static void draw_zone(struct picture *p, const struct trust_report *r, size_t i)
{
	const struct trust_zone *z = r->zone[i];
	const size_t parent = parent_of(r, i);
	const bool origin = is_origin(r, z);
	struct box b = { .x = parent == i ? MARGIN : p->zone_x[parent] + INDENT,
		.colour = origin                   ? colour_of(z->trust)
			: z->trust == TRUST_SECURE ? GREEN
						   : GREY,
		.badge = trust_word(z->trust) };
	char name[NAME_TEXT_MAX];

	snprintf(b.title, sizeof(b.title), "%.100s",
		z->zone.n == 1 ? ". (the root)" : text_of(&z->zone, name));
	if (z->trust != TRUST_SECURE && origin)
		add(&b, b.colour, "%s", z->why);
	fill_zone(z, &b);
	put_box(p, &b);
	p->zone_x[i] = b.x;
	p->zone_bottom[i] = b.y + b.height;
	if (parent != i)
		put_elbow(p, p->zone_x[parent], p->zone_bottom[parent], &b, b.colour);
	for (size_t s = 0; s < r->step_count; s++)
		if (r->step[s]->zone == i)
			draw_step(p, r, s);
	for (size_t k = i + 1; k < r->zone_count; k++)
		if (parent_of(r, k) == i)
			draw_zone(p, r, k);
}

static void draw_presented(struct picture *p, const struct traced *t,
	const struct trace_presented *one)
{
	const size_t last = t->trust->step_count - 1;
	struct box b = { .x = p->step_x[last] + INDENT,
		.colour = one->proved  ? GREEN
			: one->skipped ? GREY
				       : RED,
		.badge = one->proved   ? "proved"
			: one->skipped ? "not tried"
				       : "not proved" };
	char where[ADDRESS_TEXT_MAX], hex[17];

	address_write(&one->address, where);
	snprintf(b.title, sizeof(b.title), "%.90s %s",
		t->question.against == TRACE_SERVICE ? where : t->question.file, one->version);
	if (!one->proved)
		add(&b, b.colour, "%s", one->why);
	for (size_t i = 0; one->presents && i < one->result->count; i++) {
		const struct verify_record *v = &one->result->record[i];

		hex_write((struct span){ v->tlsa.data.p, v->tlsa.data.n > 8 ? 8 : v->tlsa.data.n },
			hex, sizeof(hex));
		if (v->matched)
			add(&b, GREEN, "TLSA %u %u %u %s... matches at depth %d", v->tlsa.usage,
				v->tlsa.selector, v->tlsa.matching, hex, v->depth);
		else
			add(&b, one->proved ? GREY : RED, "TLSA %u %u %u %s... %.80s",
				v->tlsa.usage, v->tlsa.selector, v->tlsa.matching, hex, v->why);
	}
	put_box(p, &b);
	put_elbow(p, p->step_x[last], p->step_bottom[last], &b, b.colour);
}

/* An alias leads from box to box at the right side. */
static void draw_aliases(struct picture *p, const struct trust_report *r)
{
	for (size_t i = 0; i + 1 < r->step_count; i++) {
		int x = WIDTH - MARGIN, from = p->step_y[i] + HEADER / 2;
		int to = p->step_y[i + 1] + HEADER / 2 + 4;

		buf_printf(p->out,
			"<path d=\"M%d %d h10 V%d h-6\" fill=\"none\" stroke=\"#345\" "
			"stroke-width=\"2\" marker-end=\"url(#tip)\"/>\n",
			x, from, to);
	}
}

/* The sentence, over as many lines as it needs. */
static int put_sentence(struct buf *t, const char *sentence, int y)
{
	while (*sentence) {
		size_t n = strlen(sentence), most = LINE_TEXT - 24;
		char line[LINE_TEXT];

		if (n > most) {
			n = most;
			while (n > most / 2 && sentence[n] != ' ')
				n--;
		}
		snprintf(line, sizeof(line), "%.*s", (int)n, sentence);
		put_text(t, MARGIN + 12, y, "font-weight=\"bold\" font-size=\"14\"", line);
		sentence += n;
		sentence += *sentence == ' ';
		y += LINE + 2;
	}
	return y;
}

void tracework_draw_svg(const struct traced *t, struct buf *out)
{
	struct buf body = { 0 };
	struct picture p = { .out = &body, .y = MARGIN + 12 };
	enum colour colour = t->verdict == TRACE_HOLDS ? GREEN : RED;
	const struct trust_report *r = t->trust;

	p.y = put_sentence(&body, t->sentence, p.y + 4) + GAP / 2;
	buf_printf(&body, "<rect x=\"%d\" y=\"%d\" width=\"8\" height=\"%d\" fill=\"%s\"/>\n",
		MARGIN - 8, MARGIN, p.y - MARGIN - GAP, strokes[colour]);
	draw_zone(&p, r, 0);
	for (size_t i = 0; i < t->presented_count && r->step_count; i++)
		draw_presented(&p, t, &t->presented[i]);
	draw_aliases(&p, r);
	buf_printf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
		"height=\"%d\" font-family=\"DejaVu Sans, sans-serif\" font-size=\"12\">\n"
		"<defs><marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"8\" refY=\"5\" "
		"markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0 L10 5 L0 10 z\" "
		"fill=\"#345\"/></marker></defs>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		WIDTH, p.y, WIDTH, p.y);
	buf_put(out, buf_span(&body));
	if (!buf_ok(&body))
		out->bad = true;
	buf_text(out, "</svg>\n");
	buf_done(&body);
}
