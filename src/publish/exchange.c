/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/exchange.h"

#include "publish/tsig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int read_address(const char *text, uint16_t port, struct sockaddr_storage *out, socklen_t *n,
	struct err *err)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		*n = sizeof(*v4);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		*n = sizeof(*v6);
		return 0;
	}
	return err_set(err, ERR_FORMAT, "name server '%s': not an address", text);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t timeout_of(const struct primary *p)
{
	return p->timeout_ms ? p->timeout_ms : PRIMARY_TIMEOUT_MS;
}

static int fail(const struct primary *p, struct err *err)
{
	if (errno == ETIMEDOUT)
		return err_set(err, ERR_TIMEOUT, "name server %s port %u: no answer within %lld ms",
			p->address, p->port, (long long)timeout_of(p));
	return err_set(err, ERR_SYSTEM, "name server %s port %u: %s", p->address, p->port,
		errno ? strerror(errno) : "the connection ended early");
}

/* Until the socket is ready for it; errno says what else. */
static bool await(const struct exchange *x, short events)
{
	struct pollfd fd = { .fd = x->fd, .events = events };
	int64_t left = x->deadline_ms - now_ms();
	int n = left > 0 ? poll(&fd, 1, (int)left) : 0;

	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0 || (n < 0 && errno == EINTR);
}

static bool send_all(const struct exchange *x, struct span octets)
{
	while (octets.n) {
		ssize_t n = send(x->fd, octets.p, octets.n, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN && await(x, POLLOUT))
			continue;
		if (n < 0)
			return false;
		octets.p += n;
		octets.n -= (size_t)n;
	}
	return true;
}

static bool receive_all(const struct exchange *x, uint8_t *out, size_t n)
{
	while (n) {
		ssize_t got = recv(x->fd, out, n, 0);

		if (got < 0 && errno == EAGAIN && await(x, POLLIN))
			continue;
		if (got == 0)
			errno = 0;
		if (got <= 0)
			return false;
		out += got;
		n -= (size_t)got;
	}
	return true;
}

static bool connect_to(const struct exchange *x, const struct sockaddr_storage *to, socklen_t n)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (x->fd < 0)
		return false;
	if (connect(x->fd, (const struct sockaddr *)to, n) == 0)
		return true;
	if (errno != EINPROGRESS || !await(x, POLLOUT))
		return false;
	getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	errno = error;
	return error == 0;
}

/* RFC 1035 section 4.2.2: two octets of length before the message. */
static int send_wire(const struct primary *p, struct exchange *x, struct span message,
	struct err *err)
{
	const uint8_t head[2] = { (uint8_t)(message.n >> 8), (uint8_t)message.n };
	struct sockaddr_storage to;
	socklen_t to_n = 0;
	int rc = read_address(p->address, p->port, &to, &to_n, err);

	if (rc != 0)
		return rc;
	x->deadline_ms = now_ms() + timeout_of(p);
	x->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (!connect_to(x, &to, to_n) || !send_all(x, (struct span){ head, 2 }) ||
		!send_all(x, message)) {
		rc = fail(p, err);
		exchange_drop(x);
	}
	x->deadline_ms = now_ms() + timeout_of(p);
	return rc;
}

void exchange_drop(struct exchange *x)
{
	if (x->fd >= 0)
		close(x->fd);
	x->fd = -1;
}

/* The octets to send, signed when there is a key. */
static int write_query(const struct primary *p, const ldns_pkt *query, ldns_buffer *out,
	struct tsig_mac *mac, struct err *err)
{
	struct buf message = { .limit = LDNS_MAX_PACKETLEN };
	int rc = 0;

	if (ldns_pkt2buffer_wire(out, query) != LDNS_STATUS_OK)
		return err_set(err, ERR_SPACE, "DNS message: above %d octets", LDNS_MAX_PACKETLEN);
	if (!p->key)
		return 0;
	buf_put(&message, (struct span){ ldns_buffer_begin(out), ldns_buffer_position(out) });
	rc = tsig_sign(&message, p->key, time(NULL), mac, err);
	if (rc == 0) {
		ldns_buffer_clear(out);
		ldns_buffer_write(out, message.p, message.n);
	}
	buf_done(&message);
	return rc;
}

static int judge(const struct primary *p, const ldns_pkt *query, struct span wire,
	const struct tsig_mac *mac, const ldns_pkt *answer, struct err *err)
{
	struct err why;
	int rc;

	if (ldns_pkt_id(answer) != ldns_pkt_id(query) || !ldns_pkt_qr(answer) ||
		ldns_pkt_get_opcode(answer) != ldns_pkt_get_opcode(query))
		return err_set(err, ERR_PEER, "answers something else");
	if (!p->key)
		return 0;
	rc = tsig_verify(wire, p->key, time(NULL), mac, &why);
	if (rc == 0)
		return 0;
	/* who refuses need not sign: BIND does not when it knows no such key */
	if (!ldns_pkt_tsig(answer) && ldns_pkt_get_rcode(answer) != LDNS_RCODE_NOERROR)
		return err_set(err, ERR_PEER, "refused with %s",
			exchange_rcode_words(ldns_pkt_get_rcode(answer)));
	return err_set(err, rc, "%s", why.msg);
}

int exchange_begin(const struct primary *p, ldns_pkt *query, struct exchange *out, struct err *err)
{
	ldns_buffer *wire = ldns_buffer_new(LDNS_MAX_PACKETLEN);
	int rc;

	*out = (struct exchange){ .fd = -1, .query = query };
	if (!wire)
		return err_set(err, ERR_NOMEM, "DNS message: out of memory");
	rc = write_query(p, query, wire, &out->mac, err);
	if (rc == 0)
		rc = send_wire(p, out,
			(struct span){ ldns_buffer_begin(wire), ldns_buffer_position(wire) }, err);
	ldns_buffer_free(wire);
	return rc;
}

static int read_answer(const struct primary *p, const struct exchange *x, struct span wire,
	ldns_pkt **answer, struct err *err)
{
	ldns_pkt *packet = NULL;
	int rc;

	if (ldns_wire2pkt(&packet, wire.p, wire.n) != LDNS_STATUS_OK)
		rc = err_set(err, ERR_PEER, "its answer does not parse");
	else
		rc = judge(p, x->query, wire, &x->mac, packet, err);
	if (rc != 0) {
		ldns_pkt_free(packet);
		return err_wrap(err, rc, "name server %s port %u", p->address, p->port);
	}
	*answer = packet;
	return 0;
}

/* The octets of the answer into out, and what ldns reads in them; then it is over. */
static int receive(const struct primary *p, struct exchange *x, struct buf *out, ldns_pkt **answer,
	struct err *err)
{
	uint8_t head[2], *octets;
	int rc = 0;

	if (receive_all(x, head, 2)) {
		size_t n = (size_t)head[0] << 8 | head[1];

		octets = buf_extend(out, n);
		if (n && !octets)
			rc = err_set(err, ERR_NOMEM, "DNS message: out of memory");
		else if (!receive_all(x, octets, n))
			rc = fail(p, err);
	} else {
		rc = fail(p, err);
	}
	exchange_drop(x);
	return rc == 0 ? read_answer(p, x, buf_span(out), answer, err) : rc;
}

int exchange_end(const struct primary *p, struct exchange *x, ldns_pkt **answer, struct err *err)
{
	struct buf octets = { 0 };
	int rc = receive(p, x, &octets, answer, err);

	buf_done(&octets);
	return rc;
}

int exchange_packet(const struct primary *p, ldns_pkt *query, ldns_pkt **answer, struct err *err)
{
	struct exchange x;
	int rc = exchange_begin(p, query, &x, err);

	return rc == 0 ? exchange_end(p, &x, answer, err) : rc;
}

const char *exchange_rcode_words(unsigned rcode)
{
	switch (rcode) {
	case LDNS_RCODE_FORMERR: return "FORMERR: it does not understand the message";
	case LDNS_RCODE_SERVFAIL: return "SERVFAIL: it could not do it";
	case LDNS_RCODE_NXDOMAIN: return "NXDOMAIN: a name that must exist does not";
	case LDNS_RCODE_NOTIMPL: return "NOTIMP: it does not do that";
	case LDNS_RCODE_REFUSED: return "REFUSED: its policy does not allow it";
	case LDNS_RCODE_YXDOMAIN: return "YXDOMAIN: a name exists that must not";
	case LDNS_RCODE_YXRRSET: return "YXRRSET: a record set exists that must not";
	case LDNS_RCODE_NXRRSET: return "NXRRSET: a record set that must exist does not";
	case LDNS_RCODE_NOTAUTH:
		return "NOTAUTH: not authoritative for the zone, or the TSIG is wrong";
	case LDNS_RCODE_NOTZONE: return "NOTZONE: a name lies outside the zone";
	}
	return "an error without a name";
}

int exchange_name(const char *text, ldns_rdf **out, struct err *err)
{
	ldns_rdf *name = NULL;

	if (!*text || ldns_str2rdf_dname(&name, text) != LDNS_STATUS_OK)
		return err_set(err, ERR_FORMAT, "name '%s': not a domain name", text);
	*out = name;
	return 0;
}

bool exchange_is_at(const ldns_rr *rr, const struct name *owner)
{
	const ldns_rdf *name = ldns_rr_owner(rr);
	struct cursor c = cursor_over((struct span){ ldns_rdf_data(name), ldns_rdf_size(name) });
	struct name at;

	return name_read(&c, &at) == 0 && name_equal(&at, owner);
}

int exchange_take(const ldns_rr_list *section, struct rrset *set, struct err *err)
{
	ldns_buffer *wire = ldns_buffer_new(LDNS_MAX_PACKETLEN);
	int rc = wire ? 0 : err_set(err, ERR_NOMEM, "answer: out of memory");

	for (size_t i = 0; rc == 0 && i < ldns_rr_list_rr_count(section); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(section, i);

		if (ldns_rr_get_type(rr) != set->type || !exchange_is_at(rr, &set->owner))
			continue;
		ldns_buffer_clear(wire);
		if (ldns_rr_rdata2buffer_wire(wire, rr) != LDNS_STATUS_OK)
			rc = err_set(err, ERR_NOMEM, "answer: out of memory");
		else
			rc = rrset_add(set,
				(struct span){ ldns_buffer_begin(wire),
					ldns_buffer_position(wire) },
				err);
		set->ttl_s = ldns_rr_ttl(rr);
	}
	ldns_buffer_free(wire);
	return rc;
}

static int make_query(const struct name *owner, uint16_t type, ldns_pkt **out, struct err *err)
{
	ldns_rdf *name = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, owner->n, owner->wire);
	ldns_pkt *query;

	if (!name)
		return err_set(err, ERR_NOMEM, "question: out of memory");
	query = ldns_pkt_query_new(name, type, LDNS_RR_CLASS_IN, 0);
	if (!query) {
		ldns_rdf_deep_free(name);
		return err_set(err, ERR_NOMEM, "question: out of memory");
	}
	ldns_pkt_set_random_id(query);
	ldns_pkt_set_edns_udp_size(query, 1232);
	ldns_pkt_set_edns_do(query, true);
	*out = query;
	return 0;
}

int exchange_ask(const struct primary *p, const struct name *owner, uint16_t type,
	ldns_pkt **answer, struct err *err)
{
	ldns_pkt *query = NULL;
	int rc = make_query(owner, type, &query, err);

	if (rc != 0)
		return rc;
	rc = exchange_packet(p, query, answer, err);
	ldns_pkt_free(query);
	return rc;
}

int exchange_ask_octets(const struct primary *p, const struct name *owner, uint16_t type,
	struct buf *out, struct err *err)
{
	ldns_pkt *query = NULL, *answer = NULL;
	struct exchange x;
	int rc = make_query(owner, type, &query, err);

	if (rc != 0)
		return rc;
	rc = exchange_begin(p, query, &x, err);
	if (rc == 0)
		rc = receive(p, &x, out, &answer, err);
	ldns_pkt_free(answer);
	ldns_pkt_free(query);
	return rc;
}
