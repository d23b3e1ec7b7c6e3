/* SPDX-License-Identifier: Apache-2.0 */
#include "store/jsonfile.h"

#include "pki/pemfile.h"
#include "pki/wholefile.h"

int jsonfile_write(const char *path, const struct writer *w, struct buf *text, struct err *err)
{
	buf_text(text, "\n");
	if (!writer_ok(w) || !buf_ok(text))
		return err_set(err, ERR_NOMEM, "'%s': cannot be written as JSON", path);
	return pemfile_write(path, PEMFILE_PRIVATE, true, buf_span(text), err);
}

int jsonfile_read(const char *path, struct doc **out, struct err *err)
{
	struct buf text = { .limit = WHOLEFILE_MAX };
	int rc = wholefile_read("file", path, &text, err);

	if (rc == 0) {
		rc = doc_read(buf_span(&text), out, err);
		if (rc != 0)
			rc = err_wrap(err, rc, "'%s'", path);
	}
	buf_done(&text);
	return rc;
}
