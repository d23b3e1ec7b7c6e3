/* SPDX-License-Identifier: Apache-2.0 */
#include "dane/clientid.h"

#include <string.h>

#include "base/sink.h"

/* What each message may carry: draft-ietf-dance-client-auth-13 section 3. */
static const struct {
	enum clientid_verdict with_name, without_name;
} rule[] = {
	[CLIENTID_CERTIFICATE_REQUEST] = { CLIENTID_OVERLONG, CLIENTID_SIGNAL },
	[CLIENTID_CERTIFICATE] = { CLIENTID_NAME, CLIENTID_EMPTY },
};

static enum clientid_verdict syntax(const char **why, const char *words)
{
	*why = words;
	return CLIENTID_SYNTAX;
}

/* The octets are text of a domain name in A-labels without the final dot, and not the root. */
static enum clientid_verdict read_name(struct span text, struct name *name, const char **why)
{
	struct name n;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] <= ' ' || text.p[i] >= 0x7f)
			return syntax(why, "an octet outside printable ASCII");
	}
	if (text.p[text.n - 1] == '.' && (text.n < 2 || text.p[text.n - 2] != '\\'))
		return syntax(why, "a final dot");
	if (name_read_text(text, &n))
		return syntax(why, "not a domain name");
	if (name_labels(&n) == 0)
		return syntax(why, "the root");
	*name = n;
	return CLIENTID_NAME;
}

enum clientid_verdict clientid_read(enum clientid_message message, struct span data, bool compat,
	struct name *name, const char **why)
{
	*why = "";
	if (data.n == 0 && compat)
		return rule[message].without_name;
	struct cursor c = cursor_over(data);
	uint8_t length = cursor_u8(&c);
	struct span text = cursor_take(&c, length);
	if (!cursor_done(&c)) {
		*why = "the length octet does not agree with the data";
		return CLIENTID_LENGTH;
	}
	if (text.n == 0)
		return rule[message].without_name;
	if (rule[message].with_name != CLIENTID_NAME) {
		*why = "a name in a CertificateRequest";
		return rule[message].with_name;
	}
	return read_name(text, name, why);
}

int clientid_write(const struct name *name, uint8_t out[CLIENTID_MAX], size_t *n, struct err *err)
{
	char text[NAME_TEXT_MAX] = "";

	if (name && (name_write_text(name, text, sizeof text) || name_labels(name) == 0))
		return err_set(err, ERR_FORMAT, "client name: not a domain name");
	size_t length = strlen(text);
	if (length > CLIENTID_MAX - 1)
		return err_set(err, ERR_FORMAT, "client name: %zu octets of text, at most 255",
			length);
	struct sink s = sink_into(out, CLIENTID_MAX);
	sink_u8(&s, (uint8_t)length);
	sink_put(&s, (struct span){ (const uint8_t *)text, length });
	*n = s.n;
	return 0;
}
