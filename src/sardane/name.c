/* SPDX-License-Identifier: Apache-2.0 */
#include "sardane/name.h"

#include "dns/owner.h"
#include "sardane/convert.h"

int sardane_name_read(const char *text, struct sardane_name *out, struct sardane_err *err)
{
	int rc = name_of(text, convert_name_out(out));

	return rc ? err_set(convert_err(err), rc, "'%.100s': not a domain name", text) : 0;
}

int sardane_name_write(const struct sardane_name *name, char *out, size_t cap,
	struct sardane_err *err)
{
	int rc = name_write_text(convert_name(name), out, cap);

	return rc ? err_set(convert_err(err), rc, "name: does not fit in %zu characters", cap) : 0;
}

bool sardane_name_equal(const struct sardane_name *a, const struct sardane_name *b)
{
	return name_equal(convert_name(a), convert_name(b));
}

bool sardane_name_is_within(const struct sardane_name *name, const struct sardane_name *above)
{
	return name_is_within(convert_name(name), convert_name(above));
}

int sardane_name_of_tlsa(uint16_t port, const char *proto, const struct sardane_name *host,
	struct sardane_name *out, struct sardane_err *err)
{
	int rc = owner_tlsa(port, proto, convert_name(host), convert_name_out(out));

	return rc ? err_set(convert_err(err), rc, "TLSA owner: unknown protocol or name too long")
		  : 0;
}

int sardane_name_of_join_eui(uint64_t join_eui, const struct sardane_name *suffix,
	struct sardane_name *out, struct sardane_err *err)
{
	int rc = owner_join_eui(join_eui, convert_name(suffix), convert_name_out(out));

	return rc ? err_set(convert_err(err), rc, "JoinEUI: name too long") : 0;
}

int sardane_name_of_net_id(uint32_t net_id, const struct sardane_name *suffix,
	struct sardane_name *out, struct sardane_err *err)
{
	int rc = owner_net_id(net_id, convert_name(suffix), convert_name_out(out));

	return rc ? err_set(convert_err(err), rc, "NetID: above 24 bits, or name too long") : 0;
}
