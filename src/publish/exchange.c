/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/exchange.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static int send_wire(const char *address, uint16_t port, unsigned timeout_ms, ldns_buffer *query,
	uint8_t **wire, size_t *n, struct err *err)
{
	struct timeval timeout = { timeout_ms / 1000, (timeout_ms % 1000) * 1000 };
	struct sockaddr_storage to;
	socklen_t to_n = 0;
	int rc = read_address(address, port, &to, &to_n, err);

	if (rc != 0)
		return rc;
	errno = 0;
	if (ldns_tcp_send(wire, query, &to, to_n, timeout, n) == LDNS_STATUS_OK)
		return 0;
	if (errno == EAGAIN || errno == EINPROGRESS || errno == ETIMEDOUT)
		return err_set(err, ERR_TIMEOUT, "name server %s port %u: no answer within %u ms",
			address, port, timeout_ms);
	return err_set(err, ERR_SYSTEM, "name server %s port %u: %s", address, port,
		errno ? strerror(errno) : "the connection ended early");
}

int exchange_packet(const char *address, uint16_t port, unsigned timeout_ms, ldns_pkt *query,
	ldns_pkt **answer, uint8_t **wire, size_t *n, struct err *err)
{
	ldns_buffer *out = ldns_buffer_new(LDNS_MAX_PACKETLEN);
	ldns_pkt *packet = NULL;
	uint8_t *octets = NULL;
	size_t octets_n = 0;
	int rc;

	if (!out || ldns_pkt2buffer_wire(out, query) != LDNS_STATUS_OK)
		rc = err_set(err, ERR_NOMEM, "DNS message: cannot be written");
	else
		rc = send_wire(address, port, timeout_ms, out, &octets, &octets_n, err);
	ldns_buffer_free(out);
	if (rc != 0)
		return rc;
	if (ldns_wire2pkt(&packet, octets, octets_n) != LDNS_STATUS_OK)
		rc = err_set(err, ERR_PEER, "name server %s port %u: its answer does not parse",
			address, port);
	else if (ldns_pkt_id(packet) != ldns_pkt_id(query) || !ldns_pkt_qr(packet) ||
		ldns_pkt_get_opcode(packet) != ldns_pkt_get_opcode(query))
		rc = err_set(err, ERR_PEER, "name server %s port %u: answers something else",
			address, port);
	if (rc != 0) {
		ldns_pkt_free(packet);
		free(octets);
		return rc;
	}
	*answer = packet;
	*wire = octets;
	*n = octets_n;
	return 0;
}
