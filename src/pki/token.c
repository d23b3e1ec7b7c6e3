/* SPDX-License-Identifier: Apache-2.0 */
/* The engine interface is deprecated in OpenSSL 3, and the only way to a token on Debian 12. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "pki/token.h"

#include "core/secret.h"
#include "pki/reason.h"

#include <limits.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct token {
	ENGINE *engine;
	EVP_PKEY *key;
	bool ready;               /* ENGINE_init was done, so ENGINE_finish is due */
	char path[TOKEN_URI_MAX]; /* the URI without its query: which token, which key */
	char module[PATH_MAX];
	char pin_file[PATH_MAX];
};

bool token_is_uri(const char *text)
{
	return strncmp(text, "pkcs11:", 7) == 0;
}

static int digit(char c)
{
	const char *digits = "0123456789abcdef", *p = strchr(digits, c | 0x20);

	return c && p ? (int)(p - digits) : -1;
}

/* %XX of RFC 3986; -1 when it does not fit or is none. */
static int decode(const char *text, size_t n, char *out, size_t cap)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		int hi = text[i] == '%' && i + 2 < n ? digit(text[i + 1]) : -1;
		int lo = hi >= 0 ? digit(text[i + 2]) : -1;

		if (at + 1 >= cap || (text[i] == '%' && lo < 0))
			return -1;
		out[at++] = text[i] == '%' ? (char)(hi << 4 | lo) : text[i];
		i += text[i] == '%' ? 2 : 0;
	}
	out[at] = '\0';
	return 0;
}

static int read_attribute(struct token *t, const char *p, size_t n, struct err *err)
{
	const char *value = memchr(p, '=', n);
	size_t name_n = value ? (size_t)(value - p) : n;
	size_t value_n = value ? n - name_n - 1 : 0;
	int rc = 0;

	if (!value)
		return err_set(err, ERR_FORMAT, "key '%s': query without a value", t->path);
	if (name_n == 11 && memcmp(p, "module-path", 11) == 0)
		rc = decode(value + 1, value_n, t->module, sizeof(t->module));
	else if (name_n == 10 && memcmp(p, "pin-source", 10) == 0) {
		bool scheme = value_n > 5 && memcmp(value + 1, "file:", 5) == 0;

		rc = decode(value + (scheme ? 6 : 1), value_n - (scheme ? 5 : 0), t->pin_file,
			sizeof(t->pin_file));
	} else
		return err_set(err, ERR_ARG,
			"key '%s': query '%.*s': only module-path and pin-source", t->path,
			(int)name_n, p);
	return rc == 0 ? 0 : err_set(err, ERR_FORMAT, "key '%s': bad %%-escape", t->path);
}

static int read_uri(struct token *t, const char *uri, struct err *err)
{
	size_t n = strcspn(uri, "?");
	const char *p = uri + n;
	int rc = 0;

	if (!token_is_uri(uri) || n >= sizeof(t->path))
		return err_set(err, ERR_FORMAT, "key '%.80s': not a pkcs11: URI", uri);
	memcpy(t->path, uri, n);
	t->path[n] = '\0';
	while (rc == 0 && *p) {
		n = strcspn(++p, "&");
		rc = read_attribute(t, p, n, err);
		p += n;
	}
	return rc;
}

static int fail(const struct token *t, const char *step, struct err *err)
{
	return err_set(err, ERR_CRYPTO, "key '%s': %s: %s", t->path, step, reason_take());
}

static int set_pin(struct token *t, const struct password *password, struct err *err)
{
	const struct password from_file = { .file = t->pin_file };
	char what[TOKEN_URI_MAX + 32], pin[PASSWORD_MAX];
	int rc;

	snprintf(what, sizeof(what), "PIN of key '%s'", t->path);
	rc = password_get(t->pin_file[0] ? &from_file : password, what, false, pin, err);
	if (rc == 0 && ENGINE_ctrl_cmd_string(t->engine, "PIN", pin, 0) != 1)
		rc = fail(t, "PIN", err);
	secret_wipe_octets(pin, sizeof(pin));
	return rc;
}

static int load(struct token *t, const struct password *password, struct err *err)
{
	int rc;

	ENGINE_load_dynamic();
	t->engine = ENGINE_by_id("pkcs11");
	if (!t->engine) {
		ERR_clear_error();
		return err_set(err, ERR_CRYPTO,
			"key '%s': no OpenSSL engine pkcs11; Debian: libengine-pkcs11-openssl",
			t->path);
	}
	/* our words say what went wrong; an engine that has no such command says its own as well */
	ENGINE_ctrl_cmd_string(t->engine, "QUIET", NULL, 0);
	if (t->module[0] && ENGINE_ctrl_cmd_string(t->engine, "MODULE_PATH", t->module, 0) != 1)
		return fail(t, t->module, err);
	rc = set_pin(t, password, err);
	if (rc != 0)
		return rc;
	t->ready = ENGINE_init(t->engine) == 1;
	if (!t->ready)
		return fail(t, "engine pkcs11", err);
	t->key = ENGINE_load_private_key(t->engine, t->path, NULL, NULL);
	return t->key ? 0 : fail(t, "no such key, or a wrong PIN", err);
}

int token_open(const char *uri, const struct password *pin, struct token **out, struct err *err)
{
	struct token *t = calloc(1, sizeof(*t));
	int rc = t ? read_uri(t, uri, err) : err_set(err, ERR_NOMEM, "key: out of memory");

	if (rc == 0)
		rc = load(t, pin, err);
	if (rc == 0)
		*out = t;
	else
		token_close(t);
	return rc;
}

void token_close(struct token *t)
{
	if (!t)
		return;
	EVP_PKEY_free(t->key);
	if (t->ready)
		ENGINE_finish(t->engine);
	ENGINE_free(t->engine);
	free(t);
}

EVP_PKEY *token_key(const struct token *t)
{
	return t->key;
}
