/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/alpn.h"

#include <string.h>

#include "tls/context.h"

int alpn_write(const char *const *names, unsigned count, struct buf *out, struct err *err)
{
	for (unsigned i = 0; i < count; i++) {
		size_t n = strlen(names[i]);
		uint8_t octets = (uint8_t)n;

		if (n == 0 || n > ALPN_NAME_MAX)
			return err_set(err, ERR_FORMAT, "alpn '%.40s': need 1 to %d octets",
				names[i], ALPN_NAME_MAX);
		buf_put(out, (struct span){ &octets, 1 });
		buf_text(out, names[i]);
	}
	return buf_ok(out) ? 0 : err_set(err, ERR_NOMEM, "alpn: no memory");
}

static bool next_name(struct cursor *list, struct span *out)
{
	uint8_t n = cursor_u8(list);

	*out = cursor_take(list, n);
	return !list->bad && n > 0;
}

static bool is_offered(struct span name, struct span theirs)
{
	struct cursor list = cursor_over(theirs);
	struct span other;
	bool found = false;

	while (list.rest.n) {
		if (!next_name(&list, &other))
			return false;
		found |= other.n == name.n && memcmp(other.p, name.p, name.n) == 0;
	}
	return found;
}

bool alpn_choose(struct span ours, struct span theirs, struct span *out)
{
	struct cursor list = cursor_over(ours);
	struct span name;

	while (list.rest.n && next_name(&list, &name))
		if (is_offered(name, theirs)) {
			*out = name;
			return true;
		}
	return false;
}

static int choose(SSL *ssl, const unsigned char **out, unsigned char *n, const unsigned char *in,
	unsigned in_n, void *arg)
{
	const struct tls_server *s = arg;
	struct span name;

	(void)ssl;
	/* RFC 7301 section 3.2: the server SHALL respond with a fatal no_application_protocol. */
	if (!alpn_choose(buf_span(&s->alpn), (struct span){ in, in_n }, &name))
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = name.p;
	*n = (unsigned char)name.n;
	return SSL_TLSEXT_ERR_OK;
}

int alpn_accept(struct tls_server *s, struct span names, struct err *err)
{
	buf_done(&s->alpn);
	buf_put(&s->alpn, names);
	if (!buf_ok(&s->alpn))
		return err_set(err, ERR_NOMEM, "alpn: no memory");
	SSL_CTX_set_alpn_select_cb(s->ssl_ctx, names.n ? choose : NULL, s);
	return 0;
}

int alpn_offer(struct tls_client *c, struct span names, struct err *err)
{
	/* 0 is success here. */
	if (SSL_CTX_set_alpn_protos(c->ssl_ctx, names.p, (unsigned)names.n) != 0)
		return err_set(err, ERR_NOMEM, "alpn: no memory");
	return 0;
}
