/* SPDX-License-Identifier: Apache-2.0 */
/* MAC commands: the typed readers, and write(read(x)) = x but for reserved bits. */
#include <stdlib.h>
#include <string.h>

#include "lorawan/cflist.h"
#include "lorawan/mac.h"
#include "lorawan/rate.h"
#include "lorawan/version.h"

static void check(int ok)
{
	if (!ok)
		abort();
}

/* Reads c, writes it, reads that again and writes it: the two writings agree. */
static size_t rewrite(const struct mac_command *c, enum lorawan_direction direction, uint8_t out[8])
{
	struct sink s = sink_into(out, 8);
	struct mac_link_check_ans link;
	struct mac_link_adr_req adr;
	struct mac_link_adr_ans adr_ans;
	struct mac_dev_status_ans status;
	struct mac_device_time_ans now;

	if (direction == LORAWAN_DOWN && c->cid == MAC_LINK_CHECK) {
		mac_read_link_check_ans(c, &link);
		mac_write_link_check_ans(&s, &link);
	} else if (direction == LORAWAN_DOWN && c->cid == MAC_LINK_ADR) {
		mac_read_link_adr_req(c, &adr);
		mac_write_link_adr_req(&s, &adr);
	} else if (direction == LORAWAN_DOWN && c->cid == MAC_DEVICE_TIME) {
		mac_read_device_time_ans(c, &now);
		mac_write_device_time_ans(&s, &now);
	} else if (direction == LORAWAN_UP && c->cid == MAC_LINK_ADR) {
		mac_read_link_adr_ans(c, &adr_ans);
		mac_write_link_adr_ans(&s, &adr_ans);
	} else if (direction == LORAWAN_UP && c->cid == MAC_DEV_STATUS) {
		mac_read_dev_status_ans(c, &status);
		mac_write_dev_status_ans(&s, &status);
	} else if (c->cid == MAC_REKEY) {
		mac_write_rekey(&s, mac_read_rekey(c));
	} else {
		return 0;
	}
	check(sink_fits(&s));
	return s.n;
}

static void walk(struct span in, enum lorawan_direction direction)
{
	struct mac_walk w = mac_walk_over(in, direction);
	struct mac_command c, back;

	while (mac_next(&w, &c)) {
		uint8_t once[8], twice[8];
		size_t n = rewrite(&c, direction, once);
		struct mac_walk again = mac_walk_over((struct span){ once, n }, direction);

		if (n == 0)
			continue;
		check(mac_next(&again, &back) && back.cid == c.cid);
		check(rewrite(&back, direction, twice) == n && memcmp(once, twice, n) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { data, size };
	struct cflist list, list_back;
	uint8_t octets[CFLIST_OCTETS];
	char text[RATE_TEXT_MAX];
	struct rate rate;
	enum version v;

	walk(in, LORAWAN_UP);
	walk(in, LORAWAN_DOWN);
	if (cflist_read(in, &list) == 0) {
		check(cflist_write(&list, octets) == 0);
		check(cflist_read((struct span){ octets, sizeof(octets) }, &list_back) == 0);
		check(memcmp(&list, &list_back, sizeof(list)) == 0);
	}
	if (rate_read(in, &rate) == 0) {
		check(rate_write(&rate, text, sizeof(text)) == 0);
		check(strlen(text) == size && memcmp(text, data, size) == 0);
	}
	if (version_read(in, &v) == 0)
		check(strlen(version_text(v)) >= size);
	return 0;
}
