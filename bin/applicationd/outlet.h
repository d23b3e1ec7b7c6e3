/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outlet - where events go: a file, a FIFO, or standard output.
 *
 *   Writing    O_APPEND, one write per work: lines of several writers never mix. A write that
 *              comes short is undone (a file is cut back to where it was) and is a failure.
 *   Durable    with sync, fsync after each write to a regular file: what the Network Server
 *              was told is taken is on the disk. Without, it survives a crash of this program
 *              but not of the machine.
 *   FIFO       opened for reading too, so that it needs no reader to be opened; when it is
 *              full the write fails and the Network Server sends again.
 *   Rotation   outlet_reopen (SIGHUP) opens the path anew.
 *   Errors     ERR_SYSTEM with words.
 */
#ifndef APPLICATIOND_OUTLET_H
#define APPLICATIOND_OUTLET_H

#include "base/cursor.h"
#include "core/err.h"

struct outlet {
	const char *path; /* "-" is standard output */
	bool sync, regular;
	int fd;
};

int outlet_open(struct outlet *o, const char *path, bool sync, struct err *err);
int outlet_reopen(struct outlet *o, struct err *err); /* on failure the old one stays */
void outlet_close(struct outlet *o);
int outlet_write(struct outlet *o, struct span lines, struct err *err);

#endif
