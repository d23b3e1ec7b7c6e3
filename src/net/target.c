/* SPDX-License-Identifier: Apache-2.0 */
#include "net/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/owner.h"
#include "net/listen.h"

struct parts {
	char host[TARGET_TEXT_MAX];
	const char *path; /* "" or "/..." */
	uint16_t port;
};

/* Every octet of an URL that is sent is printable ASCII; a blank would end a request line. */
static bool text_is_plain(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	return true;
}

static int parts_read(const char *rest, uint16_t port, struct parts *out)
{
	size_t n = strcspn(rest, "/?#"), host = n;
	const char *end = rest + n, *colon = memrchr(rest, ':', n);
	unsigned long v;
	char *stop;

	/* A colon inside of brackets belongs to the address. */
	if (colon && memchr(colon, ']', (size_t)(end - colon)))
		colon = NULL;
	if (colon) {
		host = (size_t)(colon - rest);
		v = strtoul(colon + 1, &stop, 10);
		if (stop != end || colon + 1 == end || v == 0 || v > 65535 || colon[1] == '+')
			return ERR_FORMAT;
		port = (uint16_t)v;
	}
	if (host == 0 || host >= sizeof(out->host) || memchr(rest, '@', n) || strpbrk(end, "#"))
		return ERR_FORMAT;
	memcpy(out->host, rest, host);
	out->host[host] = '\0';
	out->path = end;
	out->port = port;
	return 0;
}

static bool host_is_loopback(const struct parts *p)
{
	char text[TARGET_TEXT_MAX + 8];
	struct sockaddr_storage address;

	snprintf(text, sizeof(text), "%s:%u", p->host, p->port);
	return listen_read_address(text, &address, NULL) == 0 &&
		listen_is_loopback((const struct sockaddr *)&address);
}

static bool host_is_address(const struct parts *p)
{
	char text[TARGET_TEXT_MAX + 8];
	struct sockaddr_storage address;

	snprintf(text, sizeof(text), "%s:%u", p->host, p->port);
	return strcmp(p->host, "localhost") != 0 && listen_read_address(text, &address, NULL) == 0;
}

static int url_read(const char *url, struct target *t, struct err *err)
{
	struct parts p;
	int rc = ERR_FORMAT;

	if (strlen(url) >= TARGET_TEXT_MAX || !text_is_plain(url))
		return err_set(err, ERR_FORMAT, "URL: too long, or not printable ASCII");
	snprintf(t->key, sizeof(t->key), "%s", url);
	if (strncmp(url, "http://", 7) == 0) {
		rc = parts_read(url + 7, 80, &p);
		if (rc == 0 && !host_is_loopback(&p))
			return err_set(err, ERR_FORMAT, "'%s': http only to loopback", url);
		t->plain = true;
		snprintf(t->url, sizeof(t->url), "%s", url);
	} else if (strncmp(url, "https://", 8) == 0) {
		rc = parts_read(url + 8, 443, &p);
		if (rc == 0 && host_is_address(&p))
			return err_set(err, ERR_FORMAT,
				"'%s': https wants a DNS name, to which a TLSA belongs", url);
		if (rc == 0 &&
			(name_of(p.host, &t->service.name) != 0 ||
				name_labels(&t->service.name) == 0))
			rc = ERR_FORMAT;
		if (rc == 0) {
			t->service.start = SERVICE_HOST;
			t->service.port = p.port;
			snprintf(t->url, sizeof(t->url), "%s%s", p.path[0] == '/' ? "" : "/",
				p.path);
		}
	}
	if (rc != 0)
		return err_set(err, ERR_FORMAT, "'%s': no URL that can be used here", url);
	return 0;
}

/* Where the URL's name is, without DNS. */
static int address_read(const char *text, struct service_target *t, struct err *err)
{
	struct sockaddr_storage a;
	int rc = listen_read_address(text, &a, err);

	if (rc != 0)
		return rc;
	t->has_address = true;
	if (a.ss_family == AF_INET6) {
		memcpy(t->address, &((struct sockaddr_in6 *)&a)->sin6_addr, 16);
		return 0;
	}
	t->address[10] = t->address[11] = 0xff;
	memcpy(t->address + 12, &((struct sockaddr_in *)&a)->sin_addr, 4);
	return 0;
}

static int id_read(const struct http_target *from, struct target *t, struct err *err)
{
	const char *suffix = from->suffix ? from->suffix : "";
	bool join = from->kind == HTTP_TARGET_JOIN_EUI;
	struct name below;

	/* ChirpStack writes suffixes with a dot in front. */
	if (suffix[0] == '.')
		suffix++;
	if (name_of(suffix, &below) != 0)
		return err_set(err, ERR_FORMAT, "suffix '%s': no DNS name", suffix);
	if ((join ? owner_join_eui(from->id, &below, &t->service.name)
		  : owner_net_id((uint32_t)from->id, &below, &t->service.name)) != 0)
		return err_set(err, ERR_FORMAT, "suffix '%s': too long", suffix);
	t->service.start = SERVICE_NAPTR;
	t->service.port = from->port ? from->port : join ? 8003 : 443;
	snprintf(t->url, sizeof(t->url), "/");
	if (snprintf(t->key, sizeof(t->key), "%d %" PRIx64 " %u %s", from->kind, from->id,
		    t->service.port, suffix) >= (int)sizeof(t->key))
		return err_set(err, ERR_FORMAT, "suffix '%s': too long", suffix);
	return 0;
}

int target_read(const struct http_target *from, struct target *out, struct err *err)
{
	struct target t = { .plain = false };
	int rc = ERR_ARG;

	switch (from->kind) {
	case HTTP_TARGET_URL: rc = url_read(from->url ? from->url : "", &t, err); break;
	case HTTP_TARGET_JOIN_EUI:
	case HTTP_TARGET_NET_ID: rc = id_read(from, &t, err); break;
	}
	if (rc == 0 && from->address && !t.plain)
		rc = address_read(from->address, &t.service, err);
	if (rc == 0)
		*out = t;
	return rc;
}
