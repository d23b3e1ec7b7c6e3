/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/envelope.h"

#include "core/secret.h"

bool envelope_read(struct fields *f, const char *name, enum fields_need need, struct envelope *out)
{
	struct envelope e = { 0 };
	const struct doc *object;
	struct fields g;

	if (!fields_object(f, name, need, &object))
		return false;
	g = fields_of(object, f->err);
	fields_copy(&g, "KEKLabel", FIELDS_MAY, e.kek_label, sizeof(e.kek_label));
	fields_hex(&g, "AESKey", FIELDS_MUST, e.aes_key, sizeof(e.aes_key), &e.n);
	if (!fields_done(&g) && e.n != (e.kek_label[0] ? ENVELOPE_WRAPPED : ENVELOPE_CLEAR))
		g.code = err_set(f->err, ERR_FORMAT, "AESKey: %zu octets, need %d", e.n,
			e.kek_label[0] ? ENVELOPE_WRAPPED : ENVELOPE_CLEAR);
	if (fields_done(&g))
		f->code = err_wrap(f->err, g.code, "%s", name);
	else
		*out = e;
	envelope_wipe(&e);
	return !f->code;
}

void envelope_write(struct writer *w, const char *name, const struct envelope *e)
{
	if (!e->n)
		return;
	writer_open(w, name, '{');
	writer_text(w, "KEKLabel", e->kek_label);
	writer_hex(w, "AESKey", (struct span){ e->aes_key, e->n });
	writer_close(w);
}

void envelope_wipe(struct envelope *e)
{
	secret_wipe_octets(e, sizeof(*e));
}
