/* SPDX-License-Identifier: Apache-2.0 */
#include "program/walls_wanted.h"

bool walls_wanted_unsaid(void)
{
	return false;
}
