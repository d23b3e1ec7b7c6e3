/* SPDX-License-Identifier: Apache-2.0 */
/* Any octets as a message between servers: what is read is written, read and written the same. */
#include <stdlib.h>
#include <string.h>

#include "backend/appskey.h"
#include "backend/dlstatus.h"
#include "backend/homens.h"
#include "backend/xmit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

union message {
	struct joining_req join_req;
	struct joining_ans join_ans;
	struct appskey_req key_req;
	struct appskey_ans key_ans;
	struct homens_req home_req;
	struct homens_ans home_ans;
	struct xmit_req xmit_req;
	struct xmit_ans xmit_ans;
	struct dlstatus_req status_req;
	struct result status_ans;
};

static int read_message(const struct doc *d, enum header_type type, union message *m)
{
	switch (type) {
	case HEADER_JOIN_REQ:
	case HEADER_REJOIN_REQ: return joining_read_req(d, &m->join_req, NULL);
	case HEADER_JOIN_ANS:
	case HEADER_REJOIN_ANS: return joining_read_ans(d, &m->join_ans, NULL);
	case HEADER_APP_S_KEY_REQ: return appskey_read_req(d, &m->key_req, NULL);
	case HEADER_APP_S_KEY_ANS: return appskey_read_ans(d, &m->key_ans, NULL);
	case HEADER_HOME_NS_REQ: return homens_read_req(d, &m->home_req, NULL);
	case HEADER_HOME_NS_ANS: return homens_read_ans(d, &m->home_ans, NULL);
	case HEADER_XMIT_DATA_REQ: return xmit_read_req(d, &m->xmit_req, NULL);
	case HEADER_XMIT_DATA_ANS: return xmit_read_ans(d, &m->xmit_ans, NULL);
	case HEADER_DL_STATUS_REQ: return dlstatus_read_req(d, &m->status_req, NULL);
	case HEADER_DL_STATUS_ANS: return dlstatus_read_ans(d, &m->status_ans, NULL);
	case HEADER_UNKNOWN: break;
	}
	return -1;
}

static bool write_message(struct buf *out, const struct header *h, const union message *m)
{
	switch (h->type) {
	case HEADER_JOIN_REQ:
	case HEADER_REJOIN_REQ: return joining_write_req(out, h, &m->join_req, false);
	case HEADER_JOIN_ANS:
	case HEADER_REJOIN_ANS: return joining_write_ans(out, h, &m->join_ans);
	case HEADER_APP_S_KEY_REQ: return appskey_write_req(out, h, &m->key_req);
	case HEADER_APP_S_KEY_ANS: return appskey_write_ans(out, h, &m->key_ans);
	case HEADER_HOME_NS_REQ: return homens_write_req(out, h, &m->home_req);
	case HEADER_HOME_NS_ANS: return homens_write_ans(out, h, &m->home_ans);
	case HEADER_XMIT_DATA_REQ: return xmit_write_req(out, h, &m->xmit_req);
	case HEADER_XMIT_DATA_ANS: return xmit_write_ans(out, h, &m->xmit_ans);
	case HEADER_DL_STATUS_REQ: return dlstatus_write_req(out, h, &m->status_req);
	case HEADER_DL_STATUS_ANS: return dlstatus_write_ans(out, h, &m->status_ans);
	case HEADER_UNKNOWN: break;
	}
	return false;
}

/* True when the text was a message; out gets it as we write it. */
static bool pass(struct span text, struct buf *out)
{
	union message *m = calloc(1, sizeof(*m));
	struct doc *d = NULL;
	struct header h;
	bool ours = m && !doc_read_long(text, 1 << 20, &d, NULL) && !header_read(d, &h, NULL) &&
		h.version != HEADER_VERSION_UNKNOWN && !read_message(d, h.type, m);

	/* A text that is borrowed from the document is UTF-8, so it can always be written. */
	if (ours && !write_message(out, &h, m))
		abort();
	doc_free(d);
	free(m);
	return ours;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf first = { 0 }, second = { 0 };

	if (size <= DOC_OCTETS_MAX && pass((struct span){ data, size }, &first)) {
		if (!pass(buf_span(&first), &second))
			abort();
		if (first.n != second.n || memcmp(first.p, second.p, first.n) != 0)
			abort();
	}
	buf_done(&first);
	buf_done(&second);
	return 0;
}
