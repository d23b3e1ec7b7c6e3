/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/engine.h"

void ask_done(struct ask *ask)
{
	engine_done(ask);
}
