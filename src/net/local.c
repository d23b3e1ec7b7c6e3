/* SPDX-License-Identifier: Apache-2.0 */
#include "net/local.h"

#include <curl/curl.h>
#include <stdio.h>

#include "core/own.h"
#include "net/listen.h"

OWNED_TYPE(CURL, curl_easy_cleanup)

static size_t take(char *octets, size_t size, size_t n, void *arg)
{
	struct buf *out = arg;

	buf_put(out, (struct span){ (const uint8_t *)octets, size * n });
	return buf_ok(out) ? size * n : 0;
}

/* Who answers in the clear is believed only here. */
static int read_place(const char *where, struct sockaddr_un *path, char *host, size_t cap,
	struct err *err)
{
	struct sockaddr_storage a;
	int rc;

	if (listen_is_unix(where)) {
		snprintf(host, cap, "localhost");
		return listen_read_unix(where, path, err);
	}
	rc = listen_read_address(where, &a, err);
	if (rc == 0 && !listen_is_loopback((struct sockaddr *)&a))
		rc = err_set(err, ERR_FORMAT, "%s: only unix:/path or a loopback address", where);
	if (rc == 0)
		listen_write_address((struct sockaddr *)&a, host, cap);
	return rc;
}

int local_get(const char *where, const char *path, size_t octets_max, unsigned timeout_ms,
	struct buf *out, long *code, struct err *err)
{
	OWNED(CURL) curl = curl_easy_init();
	struct sockaddr_un socket = { 0 };
	char host[64], url[256];
	int rc = curl ? read_place(where, &socket, host, sizeof(host), err)
		      : err_set(err, ERR_NOMEM, "%s: no memory", where);
	CURLcode got;

	if (rc != 0)
		return rc;
	snprintf(url, sizeof(url), "http://%s%s", host, path);
	out->limit = octets_max;
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
	if (socket.sun_path[0])
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket.sun_path);
	got = curl_easy_perform(curl);
	if (got != CURLE_OK)
		return err_set(err, ERR_SYSTEM, "%s: %s", where, curl_easy_strerror(got));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, code);
	return 0;
}
