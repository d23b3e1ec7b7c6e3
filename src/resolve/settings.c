/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/settings.h"

#include "core/buf.h"
#include "resolve/stale.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define RESOLV_CONF_MAX    (64 * 1024)
#define OPEN_DEFAULT       1024
#define OPEN_MAX           65535
#define OPEN_SOURCE        64
#define NAMES_DEFAULT      100000
#define TTL_MAX_DEFAULT    86400
#define TTL_LIMIT          (7 * 86400)
#define NEGATIVE_TTL_MAX_S 3600

static int add_forward(const char *text, struct settings_forward *forward, struct err *err)
{
	if (forward->count == SETTINGS_FORWARD_MAX)
		return err_set(err, ERR_ARG, "more than %d forwarders", SETTINGS_FORWARD_MAX);
	if (address_read(text, &forward->address[forward->count], err))
		return ERR_FORMAT;
	forward->count++;
	return 0;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct span next_word(struct span *line)
{
	struct span word;

	while (line->n && is_blank(line->p[0])) {
		line->p++;
		line->n--;
	}
	word = (struct span){ line->p, 0 };
	while (line->n && !is_blank(line->p[0])) {
		word.n++;
		line->p++;
		line->n--;
	}
	return word;
}

static struct span next_line(struct span *text)
{
	const uint8_t *end = memchr(text->p, '\n', text->n);
	struct span line = { text->p, end ? (size_t)(end - text->p) : text->n };
	size_t used = end ? line.n + 1 : line.n;

	text->p += used;
	text->n -= used;
	return line;
}

static bool is_word(struct span s, const char *word)
{
	return s.n == strlen(word) && memcmp(s.p, word, s.n) == 0;
}

int settings_read_resolv_conf(struct span text, struct settings_forward *forward, struct err *err)
{
	uint16_t before = forward->count;

	for (unsigned number = 1; text.n; number++) {
		struct span line = next_line(&text), word = next_word(&line);
		char server[2 * ADDRESS_TEXT_MAX];

		if (!is_word(word, "nameserver"))
			continue;
		word = next_word(&line);
		if (word.n == 0 || word.n >= sizeof(server) || memchr(word.p, 0, word.n))
			return err_set(err, ERR_FORMAT, "line %u: nameserver needs an address",
				number);
		memcpy(server, word.p, word.n);
		server[word.n] = 0;
		if (add_forward(server, forward, err))
			return err_wrap(err, ERR_FORMAT, "line %u", number);
		word = next_word(&line);
		if (word.n && word.p[0] != '#' && word.p[0] != ';')
			return err_set(err, ERR_FORMAT, "line %u: words after the address", number);
	}
	if (forward->count == before)
		return err_set(err, ERR_FORMAT, "no nameserver line");
	return 0;
}

static int load_resolv_conf(const char *path, struct settings_forward *forward, struct err *err)
{
	struct buf text = { .limit = RESOLV_CONF_MAX };
	FILE *file = fopen(path, "re");
	uint8_t part[4096];
	size_t n;
	int rc;

	if (!file)
		return err_set(err, ERR_SYSTEM, "resolv_conf '%s': %s", path, strerror(errno));
	while ((n = fread(part, 1, sizeof(part), file)) > 0)
		buf_put(&text, (struct span){ part, n });
	if (ferror(file) || !buf_ok(&text))
		rc = err_set(err, ERR_SYSTEM, "resolv_conf '%s': cannot be read", path);
	else if ((rc = settings_read_resolv_conf(buf_span(&text), forward, err)))
		err_wrap(err, rc, "resolv_conf '%s'", path);
	fclose(file);
	buf_done(&text);
	return rc;
}

static int read_stubs(const struct resolver_config *config, struct wire_config *out,
	char server[][ADDRESS_TEXT_MAX], struct err *err)
{
	for (const struct resolver_stub *s = config->stub; s && s->zone; s++) {
		struct address address;
		struct name zone;

		if (out->stub_count == WIRE_STUB_MAX)
			return err_set(err, ERR_ARG, "more than %d stub zones", WIRE_STUB_MAX);
		if (name_of(s->zone, &zone))
			return err_set(err, ERR_FORMAT, "stub zone '%s': not a name", s->zone);
		if (!s->server || address_read(s->server, &address, err))
			return err_wrap(err, ERR_FORMAT, "stub zone '%s'", s->zone);
		address_write(&address, server[out->stub_count]);
		out->stub[out->stub_count].zone = s->zone;
		out->stub[out->stub_count].server = server[out->stub_count];
		out->stub_count++;
	}
	return 0;
}

static int read_forwards(const struct resolver_config *config, struct settings_forward *forward,
	struct err *err)
{
	int rc = 0;

	for (const char *const *f = config->forward; f && *f; f++) {
		rc = add_forward(*f, forward, err);
		if (rc)
			return err_wrap(err, rc, "forward");
	}
	if (config->resolv_conf)
		rc = load_resolv_conf(config->resolv_conf, forward, err);
	return rc;
}

int settings_packet(const struct resolver_config *config, struct sink *out, struct err *err)
{
	char forwards[WIRE_FORWARD_MAX][ADDRESS_TEXT_MAX], stubs[WIRE_STUB_MAX][ADDRESS_TEXT_MAX];
	struct wire_config wire = {
		.anchor_file = config->trust_anchor_file,
		.anchor_managed = config->trust_anchor_managed,
		.val_override_date = config->val_override_date,
		.user = config->user,
	};
	struct settings_forward forward = { 0 };
	int rc = read_forwards(config, &forward, err);

	wire.anchor_builtin = config->trust_anchor_builtin ||
		(!config->trust_anchor_file && !config->trust_anchor_managed);
	if (!rc)
		rc = read_stubs(config, &wire, stubs, err);
	if (rc)
		return rc;
	for (uint16_t i = 0; i < forward.count; i++) {
		address_write(&forward.address[i], forwards[i]);
		wire.forward[wire.forward_count++] = forwards[i];
	}
	if (wire_write_config(&wire, out))
		return err_set(err, ERR_ARG, "resolver: a path or the list of stubs is too long");
	return 0;
}

/* A number of the configuration: 0 is the default, what is above the limit is refused. */
struct setting {
	const char *key;
	size_t given, otherwise, most;
};

static int read_number(const struct setting *s, size_t *out, struct err *err)
{
	if (s->given > s->most)
		return err_set(err, ERR_ARG, "resolver: %s %zu is above %zu", s->key, s->given,
			s->most);
	*out = s->given ? s->given : s->otherwise;
	return 0;
}

static int read_numbers(const struct resolver_config *config, struct engine_config *out,
	struct err *err)
{
	const struct setting settings[] = {
		{ "deadline_ms", config->deadline_ms, ENGINE_DEADLINE_MS, ENGINE_DEADLINE_MAX_MS },
		{ "open_max", config->open_max, OPEN_DEFAULT, OPEN_MAX },
		{ "open_per_source_max", config->open_per_source_max, OPEN_SOURCE, OPEN_MAX },
		{ "cache_names_max", config->cache_names_max, NAMES_DEFAULT, SIZE_MAX / 64 },
		{ "ttl_max_s", config->ttl_max_s, TTL_MAX_DEFAULT, TTL_LIMIT },
		{ "negative_ttl_max_s", config->negative_ttl_max_s, NEGATIVE_TTL_MAX_S, TTL_LIMIT },
	};
	struct engine_config e = { .trace = config->trace,
		.ttl_min_s = config->ttl_min_s,
		.serve_stale_s = config->serve_stale_s };
	size_t v[sizeof(settings) / sizeof(settings[0])];

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (read_number(&settings[i], &v[i], err))
			return ERR_ARG;
	if (stale_check(config, err))
		return ERR_ARG;
	e.deadline_ms = (unsigned)v[0];
	e.open_max = (unsigned)v[1];
	e.open_per_source_max = (unsigned)v[2];
	e.cache_names_max = v[3];
	e.ttl_max_s = (unsigned)v[4];
	e.negative_ttl_max_s = (unsigned)v[5];
	if (e.ttl_min_s > e.ttl_max_s)
		return err_set(err, ERR_ARG, "resolver: ttl_min_s %u is above ttl_max_s %u",
			e.ttl_min_s, e.ttl_max_s);
	*out = e;
	return 0;
}

int settings_check(const struct resolver_config *config, struct err *err)
{
	char stubs[WIRE_STUB_MAX][ADDRESS_TEXT_MAX];
	struct wire_config wire = { 0 };
	struct settings_forward forward = { 0 };
	struct engine_config e;
	int rc = read_numbers(config, &e, err);

	rc = rc ? rc : read_forwards(config, &forward, err);
	return rc ? rc : read_stubs(config, &wire, stubs, err);
}

int settings_engine(const struct resolver_config *config, struct engine_config *out,
	struct err *err)
{
	struct engine_config e;
	int rc = read_numbers(config, &e, err);

	if (rc)
		return rc;
	if (getrandom(&e.seed, sizeof(e.seed), 0) != sizeof(e.seed))
		return err_set(err, ERR_SYSTEM, "resolver: no random octets: %s", strerror(errno));
	*out = e;
	return 0;
}
