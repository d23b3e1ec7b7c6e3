/* SPDX-License-Identifier: Apache-2.0 */
/* Targets and addresses: no URL may lead in clear text beyond loopback. */
#include <assert.h>
#include <string.h>

#include "net/listen.h"
#include "net/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void one_address(const char *text)
{
	struct sockaddr_storage first = { 0 }, second = { 0 };
	char written[64], again[64];

	if (listen_read_address(text, &first, NULL) != 0)
		return;
	listen_write_address((struct sockaddr *)&first, written, sizeof(written));
	assert(listen_read_address(written, &second, NULL) == 0);
	listen_write_address((struct sockaddr *)&second, again, sizeof(again));
	assert(strcmp(written, again) == 0);
	assert(listen_source((struct sockaddr *)&first) ==
		listen_source((struct sockaddr *)&second));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct target t;
	char text[1024];
	struct http_target from = { .kind = HTTP_TARGET_URL, .url = text };

	if (n >= sizeof(text))
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	one_address(text);
	if (target_read(&from, &t, NULL) == 0) {
		assert(strcmp(t.key, text) == 0);
		assert(t.plain == (strncmp(text, "http://", 7) == 0));
		assert(t.plain || (t.url[0] == '/' && name_labels(&t.service.name) > 0));
	}
	from = (struct http_target){ .kind = HTTP_TARGET_JOIN_EUI, .id = n, .suffix = text };
	if (target_read(&from, &t, NULL) == 0)
		assert(name_labels(&t.service.name) >= 16);
	return 0;
}
