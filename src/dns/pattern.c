/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/pattern.h"

static bool has_star(const char *text)
{
	while (*text && *text != '*')
		text++;
	return *text == '*';
}

int pattern_read(const char *text, struct pattern *out)
{
	struct pattern p = { .shape = PATTERN_EXACT };

	if (text[0] == '.') {
		p.shape = PATTERN_BELOW;
		text++;
	} else if (text[0] == '*' && text[1] == '.') {
		p.shape = PATTERN_ONE_LABEL;
		text += 2;
	}
	/* A rule over the whole tree is no rule. */
	if (has_star(text) || name_of(text, &p.name) != 0 || name_labels(&p.name) == 0)
		return ERR_FORMAT;
	*out = p;
	return 0;
}

bool pattern_matches(const struct pattern *p, const struct name *name)
{
	if (name->n == 0)
		return false;
	switch (p->shape) {
	case PATTERN_EXACT: return name_equal(name, &p->name);
	case PATTERN_BELOW:
		return name_is_within(name, &p->name) && name_labels(name) > name_labels(&p->name);
	case PATTERN_ONE_LABEL:
		return name_is_within(name, &p->name) &&
			name_labels(name) == name_labels(&p->name) + 1;
	}
	return false;
}
