/* SPDX-License-Identifier: Apache-2.0 */
#include "store/audithead.h"

#include <stdio.h>
#include <string.h>

#include "pki/pemfile.h"
#include "pki/wholefile.h"
#include "json/writer.h"

int audithead_name(const char *dir, char log[PATH_MAX], char head[PATH_MAX], struct err *err)
{
	if (snprintf(log, PATH_MAX, "%s/audit.log", dir) >= PATH_MAX ||
		snprintf(head, PATH_MAX, "%s/audit.head", dir) >= PATH_MAX)
		return err_set(err, ERR_ARG, "folder '%.80s...': the path is too long", dir);
	return 0;
}

int audithead_read(const char *path, struct audit_head *out, struct err *err)
{
	struct buf text = { .limit = 512 };
	struct doc *doc = NULL;
	struct err why;
	int rc = wholefile_read("audit head", path, &text, err);
	const char *hash;

	if (rc == 0 && doc_read(buf_span(&text), &doc, &why) != 0)
		rc = err_set(err, ERR_FORMAT, "%s: %s", path, why.msg);
	if (rc == 0) {
		hash = doc_text(doc_member(doc, "hash"));
		if (doc_kind(doc_member(doc, "seq")) != DOC_INTEGER ||
			strlen(hash) != AUDITLINE_HASH - 1)
			rc = err_set(err, ERR_FORMAT, "%s: is no head of an audit log", path);
		else {
			out->seq = (uint64_t)doc_integer(doc_member(doc, "seq"));
			memcpy(out->hash, hash, AUDITLINE_HASH);
		}
	}
	doc_free(doc);
	buf_done(&text);
	return rc;
}

int audithead_write(const char *path, const struct audit_head *head, struct err *err)
{
	struct buf text = { 0 };
	struct writer w = writer_into(&text);
	int rc;

	writer_open(&w, NULL, '{');
	writer_u64(&w, "seq", head->seq);
	writer_text(&w, "hash", head->hash);
	writer_close(&w);
	buf_text(&text, "\n");
	rc = writer_ok(&w) ? pemfile_write(path, PEMFILE_PRIVATE, true, buf_span(&text), err)
			   : err_set(err, ERR_NOMEM, "%s: out of memory", path);
	buf_done(&text);
	return rc;
}
