/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/joinreq.h"

#include <string.h>

int joinreq_read(struct span phy, struct joinreq *out)
{
	struct cursor c = cursor_over(phy);
	struct joinreq r = { 0 };
	struct mhdr h;
	struct span mic;

	if (phy_read_mhdr(phy, &h) || h.type != PHY_JOIN_REQUEST)
		return ERR_FORMAT;
	cursor_u8(&c);
	r.rfu = h.rfu;
	r.join_eui = cursor_u64_le(&c);
	r.dev_eui = cursor_u64_le(&c);
	r.dev_nonce = cursor_u16_le(&c);
	mic = cursor_take(&c, LORAWAN_MIC_OCTETS);
	if (!cursor_done(&c))
		return ERR_FORMAT;
	memcpy(r.mic, mic.p, mic.n);
	*out = r;
	return 0;
}

void joinreq_write(const struct joinreq *r, uint8_t out[JOINREQ_OCTETS])
{
	struct sink s = sink_into(out, JOINREQ_OCTETS);

	sink_u8(&s, phy_mhdr_octet((struct mhdr){ .type = PHY_JOIN_REQUEST, .rfu = r->rfu }));
	sink_u64_le(&s, r->join_eui);
	sink_u64_le(&s, r->dev_eui);
	sink_u16_le(&s, r->dev_nonce);
	sink_put(&s, (struct span){ r->mic, sizeof(r->mic) });
}
