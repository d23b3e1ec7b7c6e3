/* SPDX-License-Identifier: Apache-2.0 */
#include "net/resolving.h"

#include <stdlib.h>

struct resolving {
	uv_poll_t poll;
	struct resolver *resolver;
};

static void readable(uv_poll_t *poll, int status, int events)
{
	struct resolving *r = poll->data;

	(void)status;
	(void)events;
	resolver_dispatch(r->resolver);
}

static void closed(uv_handle_t *handle)
{
	free(handle->data);
}

int resolving_new(uv_loop_t *loop, struct resolver *resolver, struct resolving **out,
	struct err *err)
{
	struct resolving *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return err_set(err, ERR_NOMEM, "resolver: no memory");
	r->resolver = resolver;
	r->poll.data = r;
	rc = uv_poll_init(loop, &r->poll, resolver_fd(resolver));
	if (rc != 0) {
		free(r);
		return err_set(err, ERR_SYSTEM, "resolver: %s", uv_strerror(rc));
	}
	rc = uv_poll_start(&r->poll, UV_READABLE, readable);
	/* Servers live by their listeners; waiting for DNS alone keeps nothing alive. */
	uv_unref((uv_handle_t *)&r->poll);
	if (rc != 0) {
		uv_close((uv_handle_t *)&r->poll, closed);
		return err_set(err, ERR_SYSTEM, "resolver: %s", uv_strerror(rc));
	}
	*out = r;
	return 0;
}

void resolving_free(struct resolving *r)
{
	if (r)
		uv_close((uv_handle_t *)&r->poll, closed);
}
