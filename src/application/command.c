/* SPDX-License-Identifier: Apache-2.0 */
#include "application/command.h"

#include <string.h>

#include "base/base64.h"
#include "json/fields.h"
#include "json/writer.h"

static int data_of(const char *text, struct command *c, struct err *err)
{
	size_t n;

	switch (base64_read((struct span){ (const uint8_t *)text, strlen(text) }, c->data,
		sizeof(c->data), &n)) {
	case 0: c->n = (uint8_t)n; return 0;
	case ERR_SPACE:
		return err_set(err, ERR_FORMAT, "data: more than %d octets", DOWNLINK_PAYLOAD_MAX);
	default: return err_set(err, ERR_FORMAT, "data: not base64");
	}
}

static int members_known(const struct doc *doc, struct err *err)
{
	static const char *const refused[] = { "object", "fCntDown", "isEncrypted", "expiresAt" };
	unsigned times;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const struct doc *m = doc_member_any_case(doc, refused[i], &times);

		if (doc_kind(m) == DOC_NONE || doc_kind(m) == DOC_NULL)
			continue;
		if (doc_kind(m) == DOC_BOOL && !doc_is_true(m))
			continue;
		return err_set(err, ERR_FORMAT, "%s: not supported", refused[i]);
	}
	return 0;
}

/* An id goes into logs and file lines: no blanks, no controls. */
static int id_is_plain(const char *id, struct err *err)
{
	for (const char *c = id; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || *c == '"' || *c == '\\')
			return err_set(err, ERR_FORMAT, "id: only printable ASCII without blanks");
	return 0;
}

static int command_of(const struct doc *doc, struct command *out, struct err *err)
{
	struct command c = { 0 };
	struct fields f = fields_of(doc, err);
	const char *data = "";
	uint32_t port = 0;

	fields_id(&f, "devEui", FIELDS_MUST, 8, &c.dev_eui);
	fields_bool(&f, "confirmed", FIELDS_MAY, &c.confirmed);
	fields_u32(&f, "fPort", FIELDS_MUST, 255, &port);
	fields_text(&f, "data", FIELDS_MUST, &data);
	fields_copy(&f, "id", FIELDS_MAY, c.id, sizeof(c.id));
	if (fields_done(&f) < 0)
		return fields_done(&f);
	if (port < 1 || port > 223)
		return err_set(err, ERR_FORMAT, "fPort: %u, need 1 to 223", port);
	c.f_port = (uint8_t)port;
	if (members_known(doc, err) < 0 || id_is_plain(c.id, err) < 0 || data_of(data, &c, err) < 0)
		return ERR_FORMAT;
	*out = c;
	return 0;
}

int command_read(struct span line, struct command *out, struct err *err)
{
	struct doc *doc = NULL;
	int rc;

	if (line.n > COMMAND_LINE_MAX)
		return err_set(err, ERR_FORMAT, "line: more than %d octets", COMMAND_LINE_MAX);
	rc = doc_read(line, &doc, err);
	if (rc < 0)
		return rc;
	rc = command_of(doc, out, err);
	doc_free(doc);
	return rc;
}

void command_write(const struct command *c, struct buf *out)
{
	struct writer w = writer_into(out);

	writer_open(&w, NULL, '{');
	writer_id(&w, "devEui", 8, c->dev_eui);
	writer_bool(&w, "confirmed", c->confirmed);
	writer_u64(&w, "fPort", c->f_port);
	writer_base64(&w, "data", (struct span){ c->data, c->n });
	if (c->id[0])
		writer_text(&w, "id", c->id);
	writer_close(&w);
	if (!writer_ok(&w))
		out->bad = true;
	buf_text(out, "\n");
}

void command_answer(struct buf *out, const char *id, const char *error)
{
	struct writer w = writer_into(out);

	writer_open(&w, NULL, '{');
	if (id && id[0])
		writer_text(&w, "id", id);
	if (error)
		writer_text(&w, "error", error);
	else
		writer_bool(&w, "queued", true);
	writer_close(&w);
	if (!writer_ok(&w))
		out->bad = true;
	buf_text(out, "\n");
}
