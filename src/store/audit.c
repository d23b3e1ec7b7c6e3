/* SPDX-License-Identifier: Apache-2.0 */
#include "store/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct audit {
	int fd;
	char log[PATH_MAX], head[PATH_MAX];
	char who[64];
};

static int fail(const char *path, struct err *err)
{
	return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
}

static void find_who(char *out, size_t cap)
{
	const struct passwd *user = getpwuid(getuid());

	if (user)
		snprintf(out, cap, "%s", user->pw_name);
	else
		snprintf(out, cap, "%u", (unsigned)getuid());
}

/* The head of a log without lines: made before the first, so that its absence tells. */
static int begin(struct audit *a, struct err *err)
{
	struct audit_head none = { .hash = AUDITHEAD_NONE };
	struct stat st;
	int rc = 0;

	if (flock(a->fd, LOCK_EX) != 0 || fstat(a->fd, &st) != 0)
		return fail(a->log, err);
	if (st.st_size == 0 && access(a->head, F_OK) != 0)
		rc = audithead_write(a->head, &none, err);
	flock(a->fd, LOCK_UN);
	return rc;
}

int audit_open(const char *dir, struct audit **out, struct err *err)
{
	struct audit *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return err_set(err, ERR_NOMEM, "audit log of '%s': out of memory", dir);
	a->fd = -1;
	find_who(a->who, sizeof(a->who));
	rc = audithead_name(dir, a->log, a->head, err);
	if (rc == 0) {
		a->fd = open(a->log, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		rc = a->fd < 0 ? fail(a->log, err) : begin(a, err);
	}
	if (rc == 0)
		*out = a;
	else
		audit_close(a);
	return rc;
}

void audit_close(struct audit *a)
{
	if (!a)
		return;
	if (a->fd >= 0)
		close(a->fd);
	free(a);
}

/* The octets from the start of the last line that is complete; *torn counts those behind it. */
static int read_end(struct audit *a, struct buf *out, size_t *torn, struct err *err)
{
	char piece[2 * AUDITLINE_MAX + 1];
	const char *end, *start;
	struct stat st;
	ssize_t n;

	if (fstat(a->fd, &st) != 0)
		return fail(a->log, err);
	n = pread(a->fd, piece, sizeof(piece),
		st.st_size > (off_t)sizeof(piece) ? st.st_size - (off_t)sizeof(piece) : 0);
	if (n < 0)
		return fail(a->log, err);
	end = memrchr(piece, '\n', (size_t)n);
	*torn = (size_t)n - (size_t)(end ? end + 1 - piece : 0);
	if (!end)
		return 0;
	start = memrchr(piece, '\n', (size_t)(end - piece));
	start = start ? start + 1 : piece;
	buf_put(out, (struct span){ (const uint8_t *)start, (size_t)(end - start) });
	return buf_ok(out) ? 0 : err_set(err, ERR_NOMEM, "%s: out of memory", a->log);
}

/* The head to go on from: the file's, or the last line where that is the one after it. */
static int find_head(struct audit *a, const struct buf *last, struct audit_head *head,
	struct err *err)
{
	struct auditline line = { 0 };
	int rc = audithead_read(a->head, head, err);

	if (rc == 0 && last->n == 0)
		return head->seq == 0
			? 0
			: err_set(err, ERR_FORMAT, "%s: holds no line where %s counts %llu", a->log,
				  a->head, (unsigned long long)head->seq);
	if (rc == 0)
		rc = auditline_read(buf_span(last), &line, err);
	if (rc != 0)
		return err_wrap(err, rc, "%s: the last line", a->log);
	if (line.seq == head->seq + 1 && strcmp(line.prev, head->hash) == 0) {
		/* written before the next line, else a second crash would leave it two behind */
		head->seq = line.seq;
		memcpy(head->hash, line.hash, AUDITLINE_HASH);
		rc = audithead_write(a->head, head, err);
	} else if (line.seq != head->seq || strcmp(line.hash, head->hash) != 0) {
		rc = err_set(err, ERR_FORMAT,
			"%s: its last line is not the one in %s; see sardane audit verify", a->log,
			a->head);
	}
	auditline_done(&line);
	return rc;
}

static int add_line(struct audit *a, struct audit_head *head, const char *act, const char *thing,
	const struct auditline_note *notes, size_t notes_n, struct err *err)
{
	struct auditline line = { .seq = head->seq + 1,
		.act = act,
		.who = a->who,
		.thing = thing,
		.notes = notes,
		.notes_n = notes_n };
	struct buf text = { .limit = AUDITLINE_MAX + 1 };
	time_t now_s = time(NULL);
	char at[32];
	struct tm tm;
	int rc;

	strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now_s, &tm));
	line.at = at;
	memcpy(line.prev, head->hash, AUDITLINE_HASH);
	rc = auditline_write(&line, &text, err);
	if (rc == 0 && (write(a->fd, text.p, text.n) != (ssize_t)text.n || fsync(a->fd) != 0))
		rc = fail(a->log, err);
	buf_done(&text);
	if (rc != 0)
		return rc;
	head->seq = line.seq;
	memcpy(head->hash, line.hash, AUDITLINE_HASH);
	return audithead_write(a->head, head, err);
}

/* A line that a crash cut short was never reported: out with it, and say so. */
static int mend(struct audit *a, struct audit_head *head, size_t torn, struct err *err)
{
	char count[32];
	struct auditline_note note = { "octets", count };
	struct stat st;

	snprintf(count, sizeof(count), "%zu", torn);
	if (fstat(a->fd, &st) != 0 || ftruncate(a->fd, st.st_size - (off_t)torn) != 0)
		return fail(a->log, err);
	return add_line(a, head, "audit.mend", "a line cut short", &note, 1, err);
}

int audit_append(struct audit *a, const char *act, const char *thing,
	const struct auditline_note *notes, size_t n, struct err *err)
{
	struct audit_head head = { 0 };
	struct buf last = { 0 };
	size_t torn = 0;
	int rc;

	while (flock(a->fd, LOCK_EX) != 0)
		if (errno != EINTR)
			return fail(a->log, err);
	rc = read_end(a, &last, &torn, err);
	if (rc == 0)
		rc = find_head(a, &last, &head, err);
	if (rc == 0 && torn)
		rc = mend(a, &head, torn, err);
	if (rc == 0)
		rc = add_line(a, &head, act, thing, notes, n, err);
	buf_done(&last);
	flock(a->fd, LOCK_UN);
	return rc;
}
