/* SPDX-License-Identifier: Apache-2.0 */
/*
 * envelope - a session key on its way, wrapped under a key both ends share, or in clear.
 *
 *   Source     TS002-1.0.0 section 15.2 (KeyEnvelope); the wrap is RFC 3394 (crypto/keywrap).
 *   Sizes      16 octets in clear, 24 wrapped; the label says which KEK, "" says in clear.
 *   Ownership  a value; a clear key in it must be wiped: envelope_wipe.
 */
#ifndef BACKEND_ENVELOPE_H
#define BACKEND_ENVELOPE_H

#include "json/fields.h"
#include "json/writer.h"

#define ENVELOPE_CLEAR     16
#define ENVELOPE_WRAPPED   24
#define ENVELOPE_LABEL_MAX 65 /* with the final zero */

struct envelope {
	char kek_label[ENVELOPE_LABEL_MAX]; /* "" when in clear */
	uint8_t aes_key[ENVELOPE_WRAPPED];
	size_t n; /* octets of aes_key; 0 when there is no envelope */
};

/* A label with 16 octets, or none with 24, is refused. */
bool envelope_read(struct fields *f, const char *name, enum fields_need need, struct envelope *out);
/* Nothing when e is empty. */
void envelope_write(struct writer *w, const char *name, const struct envelope *e);
void envelope_wipe(struct envelope *e);

#endif
