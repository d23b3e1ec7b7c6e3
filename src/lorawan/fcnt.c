/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/fcnt.h"

enum fcnt_verdict fcnt_widen(uint32_t next, uint16_t wire, uint32_t max_gap, uint32_t *out)
{
	uint32_t ahead = (uint32_t)(uint16_t)(wire - next);

	if (next > 0 && wire == (uint16_t)(next - 1)) {
		*out = next - 1;
		return FCNT_REPEAT;
	}
	if (max_gap > 0 && ahead >= max_gap)
		return FCNT_TOO_FAR;
	if (ahead > UINT32_MAX - next)
		return FCNT_EXHAUSTED;
	*out = next + ahead;
	return FCNT_FRESH;
}
