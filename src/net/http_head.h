/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_head - the head of an HTTP/1.1 request, read strictly and in place.
 *
 *   octets of a connection --> MORE | REFUSED (status, why) | READY (spans into the octets)
 *
 *   Source     RFC 9112 sections 2 to 6, 9.3, 9.6; RFC 9110 sections 5, 10.1.1.
 *   Strict     CRLF ends lines, never LF alone; no folded lines; no space before a colon; one
 *              Host; one Content-Length, in digits, or one Transfer-Encoding, "chunked" and
 *              nothing else, of HTTP/1.1: who is in doubt where a body ends must not read on.
 *   Bounds     HTTP_HEAD_OCTETS_MAX, HTTP_HEAD_FIELDS_MAX, HTTP_HEAD_METHOD_MAX.
 *   Errors     a verdict; the words are static.
 */
#ifndef NET_HTTP_HEAD_H
#define NET_HTTP_HEAD_H

#include "base/cursor.h"

#define HTTP_HEAD_OCTETS_MAX 16384
#define HTTP_HEAD_FIELDS_MAX 64
#define HTTP_HEAD_METHOD_MAX 15

enum http_head_verdict { HTTP_HEAD_MORE, HTTP_HEAD_READY, HTTP_HEAD_REFUSED };

struct http_head {
	struct span method;
	struct span path;         /* without query; "/" when an absolute target had none */
	struct span content_type; /* empty: there was none */
	uint64_t body;            /* octets that follow the head; 0 when chunked */
	size_t octets;            /* of the head, its empty line included */
	bool chunked;             /* chunks follow the head: http_chunk */
	bool keep_alive;
	bool expects_continue;
};

struct http_head_refusal {
	unsigned status;
	const char *why;
};

/* Writes *out when READY, *refusal when REFUSED. */
enum http_head_verdict http_head_read(struct span octets, struct http_head *out,
	struct http_head_refusal *refusal);

/* A line without its CRLF: a token, a colon and text, RFC 9110 section 5. */
bool http_head_is_field(struct span line);

/* Is text this word, which is in small letters, in any case? */
bool http_head_is_word(struct span text, const char *word);
/* The octets up to the first c, and *rest behind it; all and an empty rest when there is none. */
struct span http_head_until(struct span text, uint8_t c, struct span *rest);
struct span http_head_trimmed(struct span text); /* of blanks and tabs */

#endif
