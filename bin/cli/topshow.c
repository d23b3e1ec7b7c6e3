/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/topshow.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_OCTETS 512

struct page {
	const struct topshow *t;
	struct buf *out;
	unsigned rows;
};

static int64_t number(const struct doc *d, const char *name)
{
	return doc_integer(doc_member(d, name));
}

static const char *text(const struct doc *d, const char *name)
{
	return doc_text(doc_member(d, name));
}

static bool is_full(const struct page *p)
{
	return p->t->rows && p->rows + 1 >= p->t->rows;
}

/* One line, cut at the edge of the terminal; how: an SGR number, 0: none. */
static void line(struct page *p, int how, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void line(struct page *p, int how, const char *fmt, ...)
{
	char words[LINE_MAX_OCTETS];
	va_list ap;

	if (is_full(p))
		return;
	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	if (p->t->columns && p->t->columns < sizeof(words))
		words[p->t->columns] = '\0';
	if (how && p->t->colour)
		buf_printf(p->out, "\033[%dm%s\033[0m\n", how, words);
	else
		buf_printf(p->out, "%s\n", words);
	p->rows++;
}

/* "1.2 M" of 1234567. */
static const char *amount(double n, char out[16])
{
	static const char units[] = " kMGTP";
	unsigned i = 0;

	while (n >= 1000 && units[i + 1]) {
		n /= 1000;
		i++;
	}
	snprintf(out, 16, i || n != (double)(int64_t)n ? "%.1f%c" : "%.0f%c", n, units[i]);
	if (out[strlen(out) - 1] == ' ')
		out[strlen(out) - 1] = '\0';
	return out;
}

static const struct doc *entry_before(const struct topshow *t, const struct doc *e)
{
	const struct doc *list = doc_member(t->before, "entries");

	for (size_t i = 0; i < doc_count(list); i++)
		if (strcmp(text(doc_item(list, i), "at"), text(e, "at")) == 0 &&
			strcmp(text(doc_item(list, i), "side"), text(e, "side")) == 0)
			return doc_item(list, i);
	return NULL;
}

static double rate(const struct topshow *t, const struct doc *now, const struct doc *before,
	const char *name)
{
	int64_t more = number(now, name) - number(before, name);

	return before && t->since_ms > 0 && more > 0 ? (double)more * 1000 / (double)t->since_ms
						     : 0;
}

static void show_head(struct page *p)
{
	const struct doc *s = p->t->status, *dns = doc_member(s, "dns");
	bool healthy = doc_is_true(doc_member(s, "healthy"));

	line(p, healthy ? 32 : 31, "sardane-proxy %s   %s%s", text(s, "version"),
		healthy ? "healthy" : "ill: ", text(s, "why"));
	line(p, 0,
		"workers %" PRId64 "   configurations %" PRId64 "   reloads %" PRId64 " (%" PRId64
		" failed)   dns: %" PRId64 " secure, %" PRId64 " denied, %" PRId64
		" insecure, %" PRId64 " bogus, %" PRId64 " failed",
		number(s, "workers"), number(s, "configurations"), number(s, "reloads"),
		number(s, "reloads_failed"), number(dns, "secure"), number(dns, "secure-denial"),
		number(dns, "insecure"), number(dns, "bogus"), number(dns, "failed"));
}

static void show_entries(struct page *p)
{
	const struct doc *list = doc_member(p->t->status, "entries");
	char forth[16], back[16], per_s[16];

	line(p, 0, "%s", "");
	line(p, 7, "%-20s %-8s %7s %7s %9s %8s %9s %9s %8s %8s", "AT", "SIDE", "OPEN", "HALF",
		"ACCEPTED", "PER S", "PROVED", "UNREACHED", "FORTH/S", "BACK/S");
	for (size_t i = 0; i < doc_count(list); i++) {
		const struct doc *e = doc_item(list, i), *before = entry_before(p->t, e);

		line(p, 0,
			"%-20.20s %-8.8s %7" PRId64 " %7" PRId64 " %9" PRId64 " %8s %9" PRId64
			" %9" PRId64 " %8s %8s",
			text(e, "at"), text(e, "side"), number(e, "open"), number(e, "half_open"),
			number(e, "accepted"), amount(rate(p->t, e, before, "accepted"), per_s),
			number(e, "proved"), number(e, "unreached"),
			amount(rate(p->t, e, before, "forth"), forth),
			amount(rate(p->t, e, before, "back"), back));
	}
}

static void show_some(struct page *p, const struct doc *e, const struct doc *before,
	const char *kind)
{
	const struct doc *now = doc_member(e, kind), *then = doc_member(before, kind);
	struct doc_entry members[64];
	size_t n = doc_members(now, members, 64);
	char per_s[16];

	for (size_t i = 0; i < n && i < 64; i++)
		if (doc_integer(members[i].value) > 0)
			line(p, 0, "%-20.20s %-28s %9" PRId64 " %8s", text(e, "at"),
				members[i].name, doc_integer(members[i].value),
				amount(rate(p->t, now, then, members[i].name), per_s));
}

static void show_refusals(struct page *p)
{
	const struct doc *list = doc_member(p->t->status, "entries");

	line(p, 0, "%s", "");
	line(p, 7, "%-20s %-28s %9s %8s", "AT", "REFUSED FOR", "IN ALL", "PER S");
	for (size_t i = 0; i < doc_count(list); i++) {
		const struct doc *e = doc_item(list, i), *before = entry_before(p->t, e);

		show_some(p, e, before, "refused");
		show_some(p, e, before, "limits");
	}
}

static void show_own(struct page *p)
{
	const struct doc *list = doc_member(p->t->status, "own");

	line(p, 0, "%s", "");
	line(p, 7, "%-20s %-44s %-8s %s", "AT", "OUR NAME", "TLSA", "WHY");
	for (size_t i = 0; i < doc_count(list); i++) {
		const struct doc *o = doc_item(list, i);
		bool bad = strcmp(text(o, "tlsa"), "bad") == 0 ||
			strcmp(text(o, "tlsa"), "no-dns") == 0;

		line(p, bad ? 31 : 0, "%-20.20s %-44.44s %-8s %s", text(o, "at"), text(o, "name"),
			text(o, "tlsa"), text(o, "why"));
	}
}

static int by_octets(const void *a, const void *b)
{
	const struct doc *const *x = a, *const *y = b;
	int64_t of_x = number(*x, "forth") + number(*x, "back");
	int64_t of_y = number(*y, "forth") + number(*y, "back");

	return of_x < of_y ? 1 : of_x > of_y ? -1 : 0;
}

/* Who moved most comes first. */
static void show_peers(struct page *p)
{
	const struct doc *list = doc_member(p->t->peers, "peers");
	size_t n = doc_count(list);
	const struct doc **sorted = calloc(n + 1, sizeof(*sorted));
	char forth[16], back[16];

	line(p, 0, "%s", "");
	line(p, 7, "%-20s %-44s %-24s %-6s %9s %8s %8s", "AT", "PEER", "FROM", "USAGE", "SECONDS",
		"FORTH", "BACK");
	for (size_t i = 0; sorted && i < n; i++)
		sorted[i] = doc_item(list, i);
	if (sorted)
		qsort(sorted, n, sizeof(*sorted), by_octets);
	for (size_t i = 0; sorted && i < n && !is_full(p); i++) {
		const struct doc *e = sorted[i];

		line(p, 0, "%-20.20s %-44.44s %-24.24s %-6s %9" PRId64 " %8s %8s", text(e, "at"),
			text(e, "peer"), text(e, "from"),
			text(e, "usage")[0] ? text(e, "usage") : text(e, "how"),
			number(e, "for_ms") / 1000, amount((double)number(e, "forth"), forth),
			amount((double)number(e, "back"), back));
	}
	free(sorted);
}

void topshow_write(const struct topshow *t, struct buf *out)
{
	struct page p = { .t = t, .out = out };

	show_head(&p);
	show_entries(&p);
	show_refusals(&p);
	show_own(&p);
	show_peers(&p);
}
