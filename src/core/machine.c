/* SPDX-License-Identifier: Apache-2.0 */
#include "core/machine.h"

#include <stdlib.h>

void machine_go(struct machine *m, int to)
{
	if (m->trace)
		m->trace(m->trace_arg, m->name, m->states[m->at].name, m->states[to].name);
	if (!(m->states[m->at].may_go & 1u << to))
		abort();
	m->at = to;
}
