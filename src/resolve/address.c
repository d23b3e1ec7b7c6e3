/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define DNS_PORT     53
#define DNS_TLS_PORT 853

static int refuse_encrypted(const char *text, struct err *err)
{
	return err_set(err, ERR_FORMAT,
		"'%s': encrypted upstreams are not supported, use a local resolver that speaks them",
		text);
}

static int read_port(const char *digits, uint16_t *out)
{
	unsigned port = 0;

	for (size_t i = 0; digits[i]; i++) {
		if (digits[i] < '0' || digits[i] > '9' || i == 5)
			return ERR_FORMAT;
		port = port * 10 + (unsigned)(digits[i] - '0');
	}
	if (port == 0 || port > UINT16_MAX)
		return ERR_FORMAT;
	*out = (uint16_t)port;
	return 0;
}

int address_read(const char *text, struct address *out, struct err *err)
{
	struct address a = { .port = DNS_PORT };
	char host[ADDRESS_TEXT_MAX];
	size_t n = strcspn(text, "@#");

	if (strstr(text, "://") || strchr(text + n + (text[n] != 0), '#'))
		return refuse_encrypted(text, err);
	if (n >= sizeof(host))
		return err_set(err, ERR_FORMAT, "'%.64s...': not an address", text);
	memcpy(host, text, n);
	host[n] = 0;
	a.v6 = strchr(host, ':') != NULL;
	if (inet_pton(a.v6 ? AF_INET6 : AF_INET, host, a.octets) != 1)
		return err_set(err, ERR_FORMAT, "'%s': not an address", text);
	if (text[n] && read_port(text + n + 1, &a.port))
		return err_set(err, ERR_FORMAT, "'%s': not a port", text);
	if (a.port == DNS_TLS_PORT)
		return refuse_encrypted(text, err);
	*out = a;
	return 0;
}

void address_write(const struct address *a, char out[ADDRESS_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN] = "";

	inet_ntop(a->v6 ? AF_INET6 : AF_INET, a->octets, host, sizeof(host));
	snprintf(out, ADDRESS_TEXT_MAX, "%s@%u", host, a->port);
}

bool address_is_loopback(const struct address *a)
{
	static const uint8_t v6[16] = { [15] = 1 };

	return a->v6 ? memcmp(a->octets, v6, sizeof(v6)) == 0 : a->octets[0] == 127;
}

socklen_t address_socket(const struct address *a, struct sockaddr_storage *out)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
	struct sockaddr_in *four = (struct sockaddr_in *)out;

	memset(out, 0, sizeof(*out));
	if (a->v6) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(a->port);
		memcpy(&six->sin6_addr, a->octets, 16);
		return sizeof(*six);
	}
	four->sin_family = AF_INET;
	four->sin_port = htons(a->port);
	memcpy(&four->sin_addr, a->octets, 4);
	return sizeof(*four);
}
