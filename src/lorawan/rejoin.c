/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/rejoin.h"

#include <string.h>

int rejoin_read(struct span phy, struct rejoin *out)
{
	struct cursor c = cursor_over(phy);
	struct rejoin r = { 0 };
	struct mhdr h;
	struct span mic;

	if (phy_read_mhdr(phy, &h) || h.type != PHY_REJOIN_REQUEST)
		return ERR_FORMAT;
	cursor_u8(&c);
	r.rfu = h.rfu;
	r.type = cursor_u8(&c);
	if (r.type > 2)
		return ERR_FORMAT;
	if (r.type == 1)
		r.join_eui = cursor_u64_le(&c);
	else
		r.net_id = cursor_u24_le(&c);
	r.dev_eui = cursor_u64_le(&c);
	r.rj_count = cursor_u16_le(&c);
	mic = cursor_take(&c, LORAWAN_MIC_OCTETS);
	if (!cursor_done(&c))
		return ERR_FORMAT;
	memcpy(r.mic, mic.p, mic.n);
	*out = r;
	return 0;
}

size_t rejoin_write(const struct rejoin *r, uint8_t out[REJOIN_MAX])
{
	struct sink s = sink_into(out, REJOIN_MAX);

	if (r->type > 2)
		return 0;
	sink_u8(&s, phy_mhdr_octet((struct mhdr){ .type = PHY_REJOIN_REQUEST, .rfu = r->rfu }));
	sink_u8(&s, r->type);
	if (r->type == 1)
		sink_u64_le(&s, r->join_eui);
	else
		sink_u24_le(&s, r->net_id);
	sink_u64_le(&s, r->dev_eui);
	sink_u16_le(&s, r->rj_count);
	sink_put(&s, (struct span){ r->mic, sizeof(r->mic) });
	return s.n;
}
