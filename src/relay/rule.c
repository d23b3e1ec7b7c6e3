/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/rule.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"

#define ANY_USAGE (-1)

struct rule {
	struct pattern names;
	enum rule_by by;
	int usage;
	bool pinned;
	uint8_t spki_sha256[RULE_SPKI_OCTETS];
};

struct rule_set {
	size_t count;
	struct rule rule[];
};

static int usage_read(const char *text, int *out)
{
	if (text[0] < '0' || text[0] > '3' || text[1] != '\0')
		return ERR_FORMAT;
	*out = text[0] - '0';
	return 0;
}

static int by_read(const char *text, enum rule_by *out)
{
	if (text && strcmp(text, "dane") != 0 && strcmp(text, "pkix") != 0)
		return ERR_FORMAT;
	*out = text && text[0] == 'p' ? RULE_BY_PKIX : RULE_BY_DANE;
	return 0;
}

static int rule_read(const struct rule_words *from, size_t number, struct rule *out,
	struct err *err)
{
	const char *name = from->name ? from->name : "", *pin = from->spki_sha256;
	struct rule r = { .usage = ANY_USAGE, .pinned = pin != NULL };

	if (pattern_read(name, &r.names) != 0)
		return err_set(err, ERR_FORMAT,
			"rule %zu: '%s' is no name, subtree (.example) or one label (*.example)",
			number, name);
	if (by_read(from->by, &r.by) != 0)
		return err_set(err, ERR_FORMAT, "rule %zu: by '%s' is not dane or pkix", number,
			from->by);
	if (from->usage && r.by == RULE_BY_PKIX)
		return err_set(err, ERR_FORMAT, "rule %zu: by pkix no TLSA has a usage", number);
	if (from->usage && usage_read(from->usage, &r.usage) != 0)
		return err_set(err, ERR_FORMAT, "rule %zu: usage '%s' is not 0, 1, 2 or 3", number,
			from->usage);
	if (pin &&
		hex_read_exact((struct span){ (const uint8_t *)pin, strlen(pin) }, r.spki_sha256,
			sizeof(r.spki_sha256)) != 0)
		return err_set(err, ERR_FORMAT, "rule %zu: spki_sha256 is not 64 hex digits",
			number);
	*out = r;
	return 0;
}

int rule_set_new(const struct rule_words *words, size_t count, struct rule_set **out,
	struct err *err)
{
	struct rule_set *set;

	if (count == 0)
		return err_set(err, ERR_FORMAT,
			"no rule; who may pass must be said, name by name or by subtree");
	set = calloc(1, sizeof(*set) + count * sizeof(set->rule[0]));
	if (!set)
		return err_set(err, ERR_NOMEM, "rules: no memory");
	for (; set->count < count; set->count++) {
		int rc = rule_read(&words[set->count], set->count + 1, &set->rule[set->count], err);

		if (rc != 0) {
			free(set);
			return rc;
		}
	}
	*out = set;
	return 0;
}

void rule_set_free(struct rule_set *set)
{
	free(set);
}

bool rule_admits_name(const struct rule_set *set, const struct name *name, enum rule_by by)
{
	for (size_t i = 0; i < set->count; i++)
		if ((set->rule[i].by & by) && pattern_matches(&set->rule[i].names, name))
			return true;
	return false;
}

static bool is_met(const struct rule *r, const struct rule_peer *peer)
{
	return r->by == peer->by && pattern_matches(&r->names, peer->name) &&
		(r->usage == ANY_USAGE || r->usage == peer->usage) &&
		(!r->pinned ||
			memcmp(r->spki_sha256, peer->spki_sha256, sizeof(r->spki_sha256)) == 0);
}

bool rule_admits(const struct rule_set *set, const struct rule_peer *peer)
{
	for (size_t i = 0; i < set->count; i++)
		if (is_met(&set->rule[i], peer))
			return true;
	return false;
}
