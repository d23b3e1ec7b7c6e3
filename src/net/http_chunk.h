/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_chunk - a chunked body, read strictly and put together where it lies.
 *
 *   size [;extension] CRLF octets CRLF ... 0 CRLF [trailer field CRLF ...] CRLF
 *
 *   Source     RFC 9112 section 7.1. Extensions and trailer fields must be well formed, and are
 *              not looked at.
 *   Bounds     the most octets of a body, which the caller says (413 beyond); HTTP_CHUNK_LINE_MAX
 *              of a line; HTTP_CHUNK_SPENT_MAX of all that is not looked at (431 beyond).
 *   Ownership  the octets are the caller's; a struct http_chunk { 0 } is the start of a body.
 *   Errors     a verdict, as of http_head; the words are static.
 */
#ifndef NET_HTTP_CHUNK_H
#define NET_HTTP_CHUNK_H

#include "net/http_head.h"

#define HTTP_CHUNK_LINE_MAX  1024
#define HTTP_CHUNK_SPENT_MAX 4096

struct http_chunk {
	enum http_chunk_state {
		HTTP_CHUNK_SIZE,
		HTTP_CHUNK_DATA,
		HTTP_CHUNK_DATA_END,
		HTTP_CHUNK_TRAILER,
	} state;
	size_t left;  /* octets of this chunk that have not come */
	size_t body;  /* octets of the body that have come */
	size_t spent; /* on extensions and trailer fields */
};

/*
 * octets: where the body began, *n of them: first the c->body octets that earlier calls put
 * together, then what came since. Puts these together too; what is behind is moved up, *n made
 * less. MORE: it is part of a line, or nothing. READY: it follows the request. REFUSED: any.
 */
enum http_head_verdict http_chunk_read(struct http_chunk *c, uint8_t *octets, size_t *n,
	size_t most, struct http_head_refusal *refusal);

#endif
