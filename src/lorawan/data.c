/* SPDX-License-Identifier: Apache-2.0 */
#include "lorawan/data.h"

#include <string.h>

static bool is_data(enum phy_type type)
{
	return type == PHY_DATA_UP || type == PHY_DATA_DOWN || type == PHY_CONFIRMED_UP ||
		type == PHY_CONFIRMED_DOWN;
}

int data_read(struct span phy, struct data *out)
{
	struct data d = { 0 };
	struct span message;
	struct cursor c;
	struct mhdr h;

	if (phy_read_mhdr(phy, &h) || !is_data(h.type) || phy_split(phy, &message, d.mic))
		return ERR_FORMAT;
	d.type = h.type;
	d.rfu = h.rfu;
	c = cursor_over(message);
	cursor_u8(&c);
	fhdr_read(&c, &d.fhdr);
	if (c.rest.n > 0) {
		d.has_port = true;
		d.port = cursor_u8(&c);
		d.frm = cursor_rest(&c);
	}
	if (!cursor_done(&c))
		return ERR_FORMAT;
	*out = d;
	return 0;
}

enum data_fault data_check(const struct data *d, size_t n_max)
{
	/* LoRaWAN 1.0.4 section 4.3.1.6: FOpts and FPort 0 shall not come together. */
	if (d->has_port && d->port == DATA_PORT_MAC && d->fhdr.fopts.n > 0)
		return DATA_FOPTS_WITH_PORT_0;
	if (d->has_port && d->port > DATA_PORT_TEST)
		return DATA_PORT_RESERVED;
	/* RP002 section 2.4.6: N holds while FOpts are empty; both share the same room. */
	if (n_max > 0 && d->fhdr.fopts.n + d->frm.n > n_max)
		return DATA_TOO_LONG;
	return DATA_SOUND;
}

const char *data_fault_text(enum data_fault fault)
{
	switch (fault) {
	case DATA_SOUND: return "sound";
	case DATA_FOPTS_WITH_PORT_0: return "FOpts together with FPort 0";
	case DATA_PORT_RESERVED: return "a reserved FPort";
	case DATA_TOO_LONG: return "longer than its data rate allows";
	}
	return "unknown";
}

int data_write(const struct data *d, uint8_t *out, size_t cap, size_t *n)
{
	struct sink s = sink_into(out, cap < LORAWAN_PHY_MAX ? cap : LORAWAN_PHY_MAX);

	if (!is_data(d->type) || (!d->has_port && d->frm.n > 0))
		return ERR_FORMAT;
	sink_u8(&s, phy_mhdr_octet((struct mhdr){ .type = d->type, .rfu = d->rfu }));
	fhdr_write(&d->fhdr, &s);
	if (d->has_port)
		sink_u8(&s, d->port);
	sink_put(&s, d->frm);
	sink_put(&s, (struct span){ d->mic, sizeof(d->mic) });
	if (!sink_fits(&s))
		return ERR_SPACE;
	*n = s.n;
	return 0;
}

bool data_is_confirmed(const struct data *d)
{
	return d->type == PHY_CONFIRMED_UP || d->type == PHY_CONFIRMED_DOWN;
}

enum lorawan_direction data_direction(const struct data *d)
{
	return phy_is_up(d->type) ? LORAWAN_UP : LORAWAN_DOWN;
}
