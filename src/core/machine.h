/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine - one state, the moves it allows, and a trace of every move.
 *
 * An engine keeps a struct machine, a switch on machine.at in the order of the
 * states, and calls machine_go for each move. A move the table does not allow is
 * a bug, so it aborts.
 *
 *   Ownership  borrows the table and the name, which are static.
 */
#ifndef CORE_MACHINE_H
#define CORE_MACHINE_H

struct machine_state {
	const char *name;
	unsigned may_go; /* bit 1 << s for each state s it may move to */
};

typedef void machine_trace(void *arg, const char *machine, const char *from, const char *to);

struct machine {
	const char *name;
	const struct machine_state *states;
	int at;
	machine_trace *trace; /* may be NULL */
	void *trace_arg;
};

void machine_go(struct machine *m, int to);

#endif
