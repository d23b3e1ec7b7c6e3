/* SPDX-License-Identifier: Apache-2.0 */
#include "program/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX_OCTETS (1024 * 1024)
#define PATH_PARTS      8

/* What libcyaml said on its way out: the complaint, then the backtrace, innermost first. */
struct complaint {
	char words[160];
	char key[64];              /* of an unknown or repeated key */
	char part[PATH_PARTS][48]; /* "resolver", "stub", "[2]" */
	unsigned parts;
	unsigned long line, column; /* of the innermost place; 0: not known */
	bool warned;
};

/* "Load: Unexpected key: bnid" in the words of this house. */
static void complaint_words(struct complaint *c, const char *text)
{
	const char *colon;

	if (strncmp(text, "Load: ", 6) == 0)
		text += 6;
	colon = strstr(text, ": ");
	if (strncmp(text, "Unexpected key: ", 16) == 0) {
		snprintf(c->key, sizeof(c->key), "%s", text + 16);
		snprintf(c->words, sizeof(c->words), "unknown key '%s'", c->key);
	} else if (strncmp(text, "Mapping field already seen: ", 28) == 0) {
		snprintf(c->key, sizeof(c->key), "%s", text + 28);
		snprintf(c->words, sizeof(c->words), "key '%s' is given twice", c->key);
	} else if (strncmp(text, "Missing required mapping field: ", 32) == 0) {
		snprintf(c->words, sizeof(c->words), "key '%s' is missing", text + 32);
	} else if (strncmp(text, "STRING length", 13) == 0 && colon) {
		/* The value itself may be a secret. */
		snprintf(c->words, sizeof(c->words), "%.*s", (int)(colon - text), text);
	} else if (strncmp(text, "libyaml: ", 9) == 0) {
		snprintf(c->words, sizeof(c->words), "%s", text + 9);
	} else {
		snprintf(c->words, sizeof(c->words), "%s", text);
	}
}

/* "  in mapping field 'x' (line: 1, column: 9)" or "  in sequence entry '2' (line: ...". */
static void complaint_place(struct complaint *c, const char *text)
{
	const char *quote = strchr(text, '\''), *end = quote ? strchr(quote + 1, '\'') : NULL;
	const char *at = strstr(text, "(line: ");

	if (c->line == 0 && at)
		sscanf(at, "(line: %lu, column: %lu)", &c->line, &c->column);
	if (!end || c->parts == PATH_PARTS)
		return;
	if (strstr(text, "sequence"))
		snprintf(c->part[c->parts++], sizeof(c->part[0]), "[%.*s]", (int)(end - quote - 1),
			quote + 1);
	else
		snprintf(c->part[c->parts++], sizeof(c->part[0]), "%.*s", (int)(end - quote - 1),
			quote + 1);
}

static __attribute__((format(printf, 3, 0))) void listen_to_cyaml(cyaml_log_t level, void *arg,
	const char *fmt, va_list ap)
{
	struct complaint *c = arg;
	char text[256];

	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	if (level == CYAML_LOG_WARNING)
		c->warned = true;
	if (strncmp(text, "  in ", 5) == 0)
		complaint_place(c, text);
	else if (c->words[0] == '\0' && strcmp(text, "Load: Backtrace:") != 0)
		complaint_words(c, text);
}

/* libcyaml points at the end of what it last understood; the key itself comes after. */
static void complaint_find_key(struct complaint *c, const char *text)
{
	unsigned long line = 1;
	size_t n = strlen(c->key);
	const char *p = text, *start = text;

	while (*p && line < c->line)
		line += *p++ == '\n';
	start = p;
	for (unsigned long i = 1; *p && *p != '\n' && i < c->column; i++)
		p++;
	for (; *p; p++) {
		if (strncmp(p, c->key, n) == 0 && p[n + strspn(p + n, "\"' ")] == ':') {
			c->line = line;
			c->column = (unsigned long)(p - start) + 1;
			return;
		}
		if (*p == '\n') {
			line++;
			start = p + 1;
		}
	}
}

static int complaint_tell(struct complaint *c, const char *path, const char *text, cyaml_err_t rc,
	struct err *err)
{
	char where[256] = "";
	size_t n = 0;

	if (c->words[0] == '\0')
		snprintf(c->words, sizeof(c->words), "%s", cyaml_strerror(rc));
	if (c->key[0] && c->line)
		complaint_find_key(c, text);
	/* The innermost part names the last key understood, not the one complained of. */
	for (unsigned i = c->parts; i-- > (c->key[0] && c->parts > 1 ? 1U : 0U);)
		n += (size_t)snprintf(where + n, sizeof(where) - n, "%s%s",
			n && c->part[i][0] != '[' ? "." : "", c->part[i]);
	if (c->key[0])
		where[0] = '\0';
	return err_set(err, rc == CYAML_ERR_OOM ? ERR_NOMEM : ERR_FORMAT, "%s:%lu:%lu: %s%s%s",
		path, c->line ? c->line : 1, c->column ? c->column : 1, where, where[0] ? ": " : "",
		c->words);
}

int config_text(const char *path, struct buf *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	uint8_t chunk[8192];
	ssize_t n = 0;

	*out = (struct buf){ .limit = FILE_MAX_OCTETS };
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	while (buf_ok(out) && (n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_put(out, (struct span){ chunk, (size_t)n });
	if (n < 0)
		rc = err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	else if (!buf_ok(out))
		rc = err_set(err, ERR_FORMAT, "%s: above %d octets", path, FILE_MAX_OCTETS);
	else if (memchr(buf_string(out), '\0', out->n))
		rc = err_set(err, ERR_FORMAT, "%s: has a zero octet", path);
	close(fd);
	return rc;
}

static cyaml_config_t settings(struct complaint *c)
{
	return (cyaml_config_t){
		.log_fn = listen_to_cyaml,
		.log_ctx = c,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_WARNING,
		.flags = CYAML_CFG_NO_ALIAS,
	};
}

int config_load_text(const char *name, const char *text, const cyaml_schema_value_t *schema,
	void **out, struct err *err)
{
	struct complaint c = { .line = 0 };
	cyaml_config_t config = settings(&c);
	void *data = NULL;
	cyaml_err_t rc;
	int bad = 0;

	rc = cyaml_load_data((const uint8_t *)text, strlen(text), &config, schema, &data, NULL);
	if (rc != CYAML_OK)
		bad = complaint_tell(&c, name, text, rc, err);
	else if (c.warned)
		bad = err_set(err, ERR_FORMAT, "%s: more than one document", name);
	else if (!data)
		bad = err_set(err, ERR_FORMAT, "%s: says nothing", name);
	if (bad && data)
		config_free(schema, data);
	if (!bad)
		*out = data;
	return bad;
}

int config_load(const char *path, const cyaml_schema_value_t *schema, void **out, struct err *err)
{
	struct buf text;
	int rc = config_text(path, &text, err);

	if (rc == 0)
		rc = config_load_text(path, buf_string(&text), schema, out, err);
	buf_done(&text);
	return rc;
}

void config_free(const cyaml_schema_value_t *schema, void *data)
{
	struct complaint c = { .line = 0 };
	cyaml_config_t config = settings(&c);

	cyaml_free(&config, schema, data, 0);
}
