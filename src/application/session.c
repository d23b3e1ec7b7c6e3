/* SPDX-License-Identifier: Apache-2.0 */
#include "application/session.h"

#include <string.h>

#include "base/code.h"
#include "core/secret.h"

bool session_id_equal(const struct session_id *a, const struct session_id *b)
{
	return a->n == b->n && memcmp(a->octets, b->octets, a->n) == 0;
}

int session_id_of(struct span octets, struct session_id *out)
{
	if (octets.n > SESSION_ID_MAX)
		return ERR_FORMAT;
	*out = (struct session_id){ .n = (uint8_t)octets.n };
	if (octets.n)
		memcpy(out->octets, octets.p, octets.n);
	return 0;
}

enum session_uplink session_see(const struct session *s, uint32_t f_cnt, uint32_t digest)
{
	uint32_t behind;

	if (!s->up_any || f_cnt > s->up_last)
		return SESSION_NEW;
	behind = s->up_last - f_cnt;
	if (behind >= SESSION_WINDOW)
		return SESSION_OLD;
	if (!(s->up_window >> behind & 1))
		return SESSION_NEW;
	return s->up_digest[f_cnt % SESSION_WINDOW] == digest ? SESSION_AGAIN : SESSION_REPLAY;
}

void session_take(struct session *s, uint32_t f_cnt, uint32_t digest)
{
	if (!s->up_any) {
		s->up_any = true;
		s->up_last = f_cnt;
		s->up_window = 1;
	} else if (f_cnt > s->up_last) {
		uint32_t ahead = f_cnt - s->up_last;

		s->up_window = ahead < SESSION_WINDOW ? s->up_window << ahead | 1 : 1;
		s->up_last = f_cnt;
	} else {
		s->up_window |= (uint64_t)1 << (s->up_last - f_cnt);
	}
	s->up_digest[f_cnt % SESSION_WINDOW] = digest;
}

/* FNV-1a. */
uint32_t session_digest(struct span frame)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < frame.n; i++)
		h = (h ^ frame.p[i]) * 16777619u;
	return h;
}

void session_wipe(struct session *s)
{
	secret_wipe_octets(s, sizeof(*s));
}
