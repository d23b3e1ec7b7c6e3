/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/version.h"

#include <string.h>

struct spelling {
	const char *text;
	enum version version;
};

static const struct spelling spellings[] = {
	{ "1.0.0", VERSION_1_0_0 },
	{ "1.0.1", VERSION_1_0_1 },
	{ "1.0.2", VERSION_1_0_2 },
	{ "1.0.3", VERSION_1_0_3 },
	{ "1.0.4", VERSION_1_0_4 },
	{ "1.1.0", VERSION_1_1_0 },
	{ "1.0", VERSION_1_0_0 },
	{ "1.1", VERSION_1_1_0 },
};

static size_t length(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

int version_read(struct span text, enum version *out)
{
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		const char *have = spellings[i].text;

		if (text.n == length(have) && memcmp(text.p, have, text.n) == 0) {
			*out = spellings[i].version;
			return 0;
		}
	}
	return ERR_FORMAT;
}

const char *version_text(enum version v)
{
	return spellings[v].text;
}

const char *version_text_short(enum version v)
{
	if (v == VERSION_1_0_0)
		return "1.0";
	if (v == VERSION_1_1_0)
		return "1.1";
	return version_text(v);
}

bool version_has_two_keys(enum version v)
{
	return v == VERSION_1_1_0;
}

bool version_counts_dev_nonce(enum version v)
{
	return v == VERSION_1_0_4 || v == VERSION_1_1_0;
}
