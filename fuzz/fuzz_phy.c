/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever comes from the air: each reader, and write(read(x)) = x. */
#include <stdlib.h>
#include <string.h>

#include "lorawan/data.h"
#include "lorawan/joinaccept.h"
#include "lorawan/joinreq.h"
#include "lorawan/mac.h"
#include "lorawan/rejoin.h"

static void same(const uint8_t *out, size_t n, struct span in)
{
	if (n != in.n || memcmp(out, in.p, n) != 0)
		abort();
}

static void walk(struct span commands, enum lorawan_direction direction)
{
	struct mac_walk w = mac_walk_over(commands, direction);
	struct mac_command c;
	size_t octets = 0;

	while (mac_next(&w, &c)) {
		octets += 1 + c.args.n;
		if ((int)c.args.n != mac_args_octets(c.cid, direction))
			abort();
	}
	if (w.stop == MAC_MORE || octets > commands.n)
		abort();
	if (w.stop == MAC_END && octets != commands.n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { data, size };
	uint8_t out[LORAWAN_PHY_MAX];
	struct joinaccept accept;
	struct joinreq request;
	struct rejoin rejoin;
	struct cflist list;
	struct data frame;
	size_t n;

	if (joinreq_read(in, &request) == 0) {
		joinreq_write(&request, out);
		same(out, JOINREQ_OCTETS, in);
	}
	if (joinaccept_read(in, &accept) == 0) {
		same(out, joinaccept_write(&accept, out), in);
		cflist_read((struct span){ accept.cflist, sizeof(accept.cflist) }, &list);
	}
	if (rejoin_read(in, &rejoin) == 0)
		same(out, rejoin_write(&rejoin, out), in);
	if (data_read(in, &frame) == 0) {
		if (data_write(&frame, out, sizeof(out), &n) != 0)
			abort();
		same(out, n, in);
		data_check(&frame, 51);
		walk(frame.fhdr.fopts, data_direction(&frame));
		walk(frame.frm, data_direction(&frame));
	}
	walk(in, LORAWAN_UP);
	walk(in, LORAWAN_DOWN);
	return 0;
}
