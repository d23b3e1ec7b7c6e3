/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/fhdr.h"

#define FCTRL_ADR         0x80u
#define FCTRL_ADR_ACK_REQ 0x40u
#define FCTRL_ACK         0x20u
#define FCTRL_PENDING     0x10u
#define FCTRL_FOPTS_LEN   0x0fu

void fhdr_read(struct cursor *c, struct fhdr *out)
{
	uint32_t dev_addr = cursor_u32_le(c);
	uint8_t fctrl = cursor_u8(c);
	uint16_t fcnt = cursor_u16_le(c);

	*out = (struct fhdr){
		.dev_addr = dev_addr,
		.adr = fctrl & FCTRL_ADR,
		.adr_ack_req = fctrl & FCTRL_ADR_ACK_REQ,
		.ack = fctrl & FCTRL_ACK,
		.pending = fctrl & FCTRL_PENDING,
		.fcnt = fcnt,
		.fopts = cursor_take(c, fctrl & FCTRL_FOPTS_LEN),
	};
}

void fhdr_write(const struct fhdr *h, struct sink *s)
{
	unsigned int fctrl = (unsigned int)h->fopts.n & FCTRL_FOPTS_LEN;

	if (h->fopts.n > LORAWAN_FOPTS_MAX) {
		s->bad = true;
		return;
	}
	fctrl |= h->adr ? FCTRL_ADR : 0;
	fctrl |= h->adr_ack_req ? FCTRL_ADR_ACK_REQ : 0;
	fctrl |= h->ack ? FCTRL_ACK : 0;
	fctrl |= h->pending ? FCTRL_PENDING : 0;
	sink_u32_le(s, h->dev_addr);
	sink_u8(s, (uint8_t)fctrl);
	sink_u16_le(s, h->fcnt);
	sink_put(s, h->fopts);
}
