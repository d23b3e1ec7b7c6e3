/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/router.h"

#include <string.h>

#include "backend/prefix.h"

#define MEMBERS_MAX 64 /* of a message; twice as many as the longest has */

static int check_members(const struct doc *root, struct err *err)
{
	struct doc_entry member[MEMBERS_MAX];
	size_t n = doc_members(root, member, MEMBERS_MAX);

	if (n > MEMBERS_MAX)
		return err_set(err, ERR_FORMAT, "more than %d members", MEMBERS_MAX);
	for (size_t i = 0; i < n; i++)
		for (const char *p = member[i].name; *p; p++)
			if (*p <= ' ' || *p > '~')
				return err_set(err, ERR_FORMAT,
					"a member's name is not printable ASCII");
	return 0;
}

static enum router_kind kind_of(const char *id, uint64_t *out)
{
	uint32_t net_id = 0;

	*out = 0;
	if (header_eui(id, out))
		return ROUTER_JOIN_EUI;
	if (!header_net_id(id, &net_id))
		return ROUTER_AS_ID;
	*out = net_id;
	return ROUTER_NET_ID;
}

static int read_receiver(struct router_message *m, struct err *err)
{
	m->to = kind_of(m->header.receiver_id, &m->to_id);
	switch (m->header.type) {
	case HEADER_JOIN_REQ:
	case HEADER_REJOIN_REQ:
	case HEADER_APP_S_KEY_REQ:
	case HEADER_HOME_NS_REQ:
		return m->to == ROUTER_JOIN_EUI
			? 0
			: err_set(err, ERR_FORMAT, "ReceiverID: need a JoinEUI of 16 digits");
	case HEADER_APP_S_KEY_ANS: m->to = ROUTER_AS_ID; return 0;
	case HEADER_UNKNOWN:
	case HEADER_JOIN_ANS:
	case HEADER_REJOIN_ANS:
	case HEADER_HOME_NS_ANS:
	case HEADER_XMIT_DATA_REQ:
	case HEADER_XMIT_DATA_ANS:
	case HEADER_DL_STATUS_REQ:
	case HEADER_DL_STATUS_ANS: return 0;
	}
	return 0;
}

static bool ends_with(const char *word, const char *end)
{
	size_t n = strlen(word), m = strlen(end);

	return n >= m && strcmp(word + n - m, end) == 0;
}

static int read_message(const struct doc *root, struct router_message *m, struct err *err)
{
	int rc = check_members(root, err);

	rc = rc ? rc : header_read(root, &m->header, err);
	if (rc != 0)
		return rc;
	m->is_answer = ends_with(m->header.type_word, "Ans");
	m->from = kind_of(m->header.sender_id, &m->from_id);
	if (m->header.type == HEADER_APP_S_KEY_REQ)
		m->from = ROUTER_AS_ID;
	return read_receiver(m, err);
}

int router_read(struct span octets, struct router_message *out, struct err *err)
{
	struct router_message m = { 0 };
	struct doc *root;
	int rc = doc_read_long(octets, ROUTER_OCTETS_MAX, &root, err);

	if (rc != 0)
		return rc;
	rc = read_message(root, &m, err);
	doc_free(root);
	if (rc == 0)
		*out = m;
	return rc;
}

bool router_write_refusal(const struct router_message *m, enum result_code code,
	const char *description, struct buf *out)
{
	struct result result = { .code = code };
	struct writer w = writer_into(out);
	struct header h;

	strncpy(result.description, description, sizeof(result.description) - 1);
	header_answer(&m->header, &h);
	writer_open(&w, NULL, '{');
	header_write(&w, &h);
	result_write(&w, &result, header_speaks_1_1(&h));
	writer_close(&w);
	return writer_ok(&w);
}

bool router_is_answer(struct span octets)
{
	struct result result;
	struct doc *root;
	struct fields f;
	bool is;

	if (doc_read_long(octets, ROUTER_OCTETS_MAX, &root, NULL) != 0)
		return false;
	f = fields_of(root, NULL);
	is = result_read(&f, &result) && fields_done(&f) == 0;
	doc_free(root);
	return is;
}

int router_check(const struct router_route *r, struct err *err)
{
	unsigned ids = (r->join_eui != NULL) + (r->net_id != NULL) + (r->as_id != NULL);
	struct prefix prefix;
	uint32_t net_id;

	if (ids != 1 || !r->url)
		return err_set(err, ERR_FORMAT, "need url, and one of join_eui, net_id and as_id");
	if (r->join_eui && prefix_read(r->join_eui, &prefix) != 0)
		return err_set(err, ERR_FORMAT, "join_eui '%s': need 16 digits, or a prefix",
			r->join_eui);
	if (r->net_id && !header_net_id(r->net_id, &net_id))
		return err_set(err, ERR_FORMAT, "net_id '%s': need 6 digits", r->net_id);
	return 0;
}

static bool is_about(const struct router_route *r, const struct router_message *m)
{
	uint32_t net_id;

	switch (m->to) {
	case ROUTER_JOIN_EUI: return r->join_eui && prefix_text_holds(r->join_eui, m->to_id);
	case ROUTER_NET_ID:
		return r->net_id && header_net_id(r->net_id, &net_id) && net_id == m->to_id;
	case ROUTER_AS_ID: return r->as_id && doc_same_name(r->as_id, m->header.receiver_id);
	}
	return false;
}

const char *router_find(const struct router_route *r, size_t count, const struct router_message *m)
{
	for (size_t i = 0; i < count; i++)
		if (is_about(&r[i], m))
			return r[i].url;
	return NULL;
}
