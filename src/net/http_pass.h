/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_pass - the requests of one connection on their way to a backend: framed, cleaned, and told
 * from whom they are.
 *
 *   HEAD --body--> BODY | CHUNKS --its end--> HEAD ...    each head gets our fields, and loses
 *     |                                                   those that only we may write
 *     +--Upgrade: websocket, the first request--> ASKED --101--> RAW
 *     +--Connection: close--> OVER                  |else
 *     +--malformed--> OVER, refused                 +--> HEAD
 *
 *   Source     RFC 9112 sections 6, 7, 9; RFC 9110 sections 7.6.1 (Connection), 7.8 (Upgrade).
 *   Strict     as http_head and http_chunk: who is in doubt where a request ends passes nothing
 *              on, so backend and proxy never count requests differently. Chunks are written
 *              anew, without extensions and trailers.
 *   Connection its options are written anew, close, keep-alive and upgrade alone: any other
 *              would ask the backend, or what stands before it, to drop a field, ours too.
 *   Upgrade    to websocket alone, and only by a connection's first request: so the first
 *              answer says if it was granted, and no other answer need be read. Any other
 *              is taken out, as h2c, in which requests go that nobody cleans.
 *   Bounds     head_max octets of a head; of a body nothing is kept but part of a line; while
 *              an upgrade is asked for, HTTP_PASS_HELD_MAX of what comes behind it.
 *   Ownership  what is returned is good until the next call, of any http_pass with this out.
 */
#ifndef NET_HTTP_PASS_H
#define NET_HTTP_PASS_H

#include "core/buf.h"
#include "net/http_chunk.h"

#define HTTP_PASS_HELD_MAX 65536

struct http_pass_config {
	size_t head_max;                   /* octets, at most HTTP_HEAD_OCTETS_MAX */
	bool (*is_ours)(struct span name); /* of a field */
};

struct http_pass;

/* fields: ours, each with its CRLF; copied. NULL: no memory. config is borrowed. */
struct http_pass *http_pass_new(const struct http_pass_config *config, struct span fields);
void http_pass_free(struct http_pass *p);

/*
 * Octets of the client; what of them goes to the backend, in *go. out is the caller's, empty.
 * REFUSED: *refusal; *go are whole requests before it. MORE: as long as http_pass_waits, nothing
 * more is wanted. READY: go on.
 */
enum http_head_verdict http_pass_forth(struct http_pass *p, struct span octets, struct buf *out,
	struct span *go, struct http_head_refusal *refusal);

/* An upgrade is asked for: no octets of the client, until http_pass_back has seen the answer. */
bool http_pass_waits(const struct http_pass *p);
/* Octets of the backend, while http_pass_waits. True: the answer is known; http_pass_forth again,
 * with no octets. */
bool http_pass_back(struct http_pass *p, struct span octets);

/* Nothing has gone to the backend yet. */
bool http_pass_is_first(const struct http_pass *p);

#endif
