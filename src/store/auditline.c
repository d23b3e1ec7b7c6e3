/* SPDX-License-Identifier: Apache-2.0 */
#include "store/auditline.h"

#include <string.h>

#include "base/hex.h"
#include "crypto/digest.h"
#include "json/writer.h"

#define HASH_HEAD ",\"hash\":\""
/* ,"hash":"<64 hex>"} */
#define TAIL_N (sizeof(HASH_HEAD) - 1 + AUDITLINE_HASH - 1 + 2)

/* Of the line as it is without its hash. */
static int hash_of(struct span body, char out[AUDITLINE_HASH], struct err *err)
{
	uint8_t digest[32];
	int rc = digest_sha256(body, digest, err);

	return rc ? rc : hex_write((struct span){ digest, sizeof(digest) }, out, AUDITLINE_HASH);
}

static int check_hash(struct span text, char out[AUDITLINE_HASH], struct err *err)
{
	size_t body_n = text.n > TAIL_N ? text.n - TAIL_N : 0;
	const char *tail = (const char *)text.p + body_n;
	struct buf body = { .limit = AUDITLINE_MAX };
	char hash[AUDITLINE_HASH];
	int rc;

	if (!body_n || text.n > AUDITLINE_MAX || memcmp(tail, HASH_HEAD, sizeof(HASH_HEAD) - 1) ||
		memcmp(text.p + text.n - 2, "\"}", 2))
		return err_set(err, ERR_FORMAT, "does not end with a hash");
	buf_put(&body, (struct span){ text.p, body_n });
	buf_text(&body, "}");
	rc = buf_ok(&body) ? hash_of(buf_span(&body), hash, err)
			   : err_set(err, ERR_NOMEM, "out of memory");
	buf_done(&body);
	if (rc == 0 && memcmp(tail + sizeof(HASH_HEAD) - 1, hash, AUDITLINE_HASH - 1) != 0)
		rc = err_set(err, ERR_FORMAT, "its hash does not fit: it was changed");
	if (rc == 0)
		memcpy(out, hash, AUDITLINE_HASH);
	return rc;
}

static const char *text_of(const struct doc *doc, const char *name)
{
	const struct doc *member = doc_member(doc, name);

	return doc_kind(member) == DOC_TEXT ? doc_text(member) : NULL;
}

static int read_members(struct auditline *line, struct err *err)
{
	const struct doc *seq = doc_member(line->doc, "seq");
	const char *prev = text_of(line->doc, "prev");

	line->at = text_of(line->doc, "at");
	line->act = text_of(line->doc, "act");
	line->who = text_of(line->doc, "who");
	line->thing = text_of(line->doc, "thing");
	if (doc_kind(seq) != DOC_INTEGER || doc_integer(seq) < 1 || !line->at || !line->act ||
		!line->who || !line->thing || !prev || strlen(prev) != AUDITLINE_HASH - 1)
		return err_set(err, ERR_FORMAT, "is no audit line");
	line->seq = (uint64_t)doc_integer(seq);
	memcpy(line->prev, prev, AUDITLINE_HASH);
	return 0;
}

int auditline_read(struct span text, struct auditline *out, struct err *err)
{
	struct auditline line = { 0 };
	int rc = check_hash(text, line.hash, err);

	if (rc == 0)
		rc = doc_read(text, &line.doc, err);
	if (rc == 0)
		rc = read_members(&line, err);
	if (rc == 0)
		*out = line;
	else
		doc_free(line.doc);
	return rc;
}

void auditline_done(struct auditline *line)
{
	doc_free(line->doc);
	*line = (struct auditline){ 0 };
}

int auditline_write(struct auditline *line, struct buf *out, struct err *err)
{
	struct buf body = { .limit = AUDITLINE_MAX - TAIL_N };
	struct writer w = writer_into(&body);
	int rc;

	writer_open(&w, NULL, '{');
	writer_u64(&w, "seq", line->seq);
	writer_text(&w, "at", line->at);
	writer_text(&w, "act", line->act);
	writer_text(&w, "who", line->who);
	writer_text(&w, "thing", line->thing);
	for (size_t i = 0; i < line->notes_n; i++)
		if (line->notes[i].text)
			writer_text(&w, line->notes[i].name, line->notes[i].text);
	writer_text(&w, "prev", line->prev);
	writer_close(&w);
	rc = writer_ok(&w) && buf_ok(&body)
		? hash_of(buf_span(&body), line->hash, err)
		: err_set(err, ERR_FORMAT, "audit line '%s': too long, or not UTF-8", line->act);
	if (rc == 0) {
		buf_put(out, (struct span){ body.p, body.n - 1 });
		buf_printf(out, HASH_HEAD "%s\"}\n", line->hash);
		rc = buf_ok(out) ? 0 : err_set(err, ERR_NOMEM, "audit line: out of memory");
	}
	buf_done(&body);
	return rc;
}
