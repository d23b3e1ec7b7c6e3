/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracedot - a trace as a graph in the language of Graphviz: "sardane trace --dot | dot -Tsvg".
 */
#include "cli/tracework.h"

#include <stdio.h>
#include <string.h>

static const char *colour_of(enum trust t)
{
	static const char *const by[] = { [TRUST_SECURE] = "#1b7f3b",
		[TRUST_INSECURE] = "#b97700",
		[TRUST_UNKNOWN] = "#767676",
		[TRUST_BOGUS] = "#c62121" };

	return by[t];
}

/* Inside quotes: a name may hold quotes and backslashes. */
static void put_quoted(struct buf *t, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_text(t, "\\");
		buf_put(t, (struct span){ (const uint8_t *)text, 1 });
	}
}

static void put_node(struct buf *t, char kind, size_t i, const char *title, const char *words,
	const char *colour)
{
	buf_printf(t, "  %c%zu [color=\"%s\", label=\"", kind, i, colour);
	put_quoted(t, title);
	if (*words) {
		buf_text(t, "\\n");
		put_quoted(t, words);
	}
	buf_text(t, "\"];\n");
}

static void put_edge(struct buf *t, const char *from, const char *to, const char *label,
	enum trust trust)
{
	buf_printf(t, "  %s -> %s [label=\"%s\", color=\"%s\", style=%s];\n", from, to, label,
		colour_of(trust), trust == TRUST_SECURE ? "solid" : "dashed");
}

static void put_zones(const struct trust_report *r, struct buf *t)
{
	char name[NAME_TEXT_MAX], from[16], to[16];

	for (size_t i = 0; i < r->zone_count; i++) {
		const struct trust_zone *z = r->zone[i];
		size_t up = i;

		name_write_text(&z->zone, name, sizeof(name));
		put_node(t, 'z', i, name, z->trust == TRUST_SECURE ? "secure" : z->why,
			colour_of(z->trust));
		for (size_t k = 0; k < i; k++)
			if (name_is_within(&z->zone, &r->zone[k]->zone) &&
				(up == i ||
					name_labels(&r->zone[k]->zone) >
						name_labels(&r->zone[up]->zone)))
				up = k;
		if (up == i)
			continue;
		snprintf(from, sizeof(from), "z%zu", up);
		snprintf(to, sizeof(to), "z%zu", i);
		put_edge(t, from, to, "DS", z->trust);
	}
}

static void put_steps(const struct trust_report *r, struct buf *t)
{
	char name[NAME_TEXT_MAX], title[NAME_TEXT_MAX + 16], type[16], from[16], to[16];

	for (size_t i = 0; i < r->step_count; i++) {
		const struct trust_set *s = &r->step[i]->set;

		name_write_text(&s->owner, name, sizeof(name));
		snprintf(title, sizeof(title), "%s %s", name,
			rr_type_word(s->type, type, sizeof(type)));
		put_node(t, 's', i, title,
			s->kind == TRUST_DENIAL ? "there is none" : trust_word(s->trust),
			colour_of(s->trust));
		snprintf(from, sizeof(from), "z%zu", r->step[i]->zone);
		snprintf(to, sizeof(to), "s%zu", i);
		put_edge(t, from, to, "RRSIG", s->trust);
		if (i == 0)
			continue;
		snprintf(from, sizeof(from), "s%zu", i - 1);
		put_edge(t, from, to, "alias", r->step[i - 1]->set.trust);
	}
}

void tracework_draw_dot(const struct traced *t, struct buf *out)
{
	const struct trust_report *r = t->trust;
	char where[ADDRESS_TEXT_MAX], from[16], to[16];

	buf_text(out,
		"digraph trust {\n  node [shape=box, style=rounded, penwidth=2];\n"
		"  labelloc=t;\n  label=\"");
	put_quoted(out, t->sentence);
	buf_text(out, "\";\n");
	put_zones(r, out);
	put_steps(r, out);
	for (size_t i = 0; i < t->presented_count && r->step_count; i++) {
		const struct trace_presented *p = &t->presented[i];

		address_write(&p->address, where);
		put_node(out, 'p', i,
			t->question.against == TRACE_SERVICE ? where : t->question.file,
			p->proved ? "proved" : p->why,
			colour_of(p->proved ? TRUST_SECURE : TRUST_BOGUS));
		snprintf(from, sizeof(from), "s%zu", r->step_count - 1);
		snprintf(to, sizeof(to), "p%zu", i);
		put_edge(out, from, to, "TLSA", p->proved ? TRUST_SECURE : TRUST_BOGUS);
	}
	buf_text(out, "}\n");
}
