/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owner - the owner names this field constructs: TLSA, JoinEUI, NetID.
 *
 *   Source     RFC 6698 section 3 (_port._proto.host); TS002 (Backend Interfaces 1.0)
 *              for JoinEUI (16 nibbles reversed, a label each) and NetID (one label of
 *              six digits, not reversed). The suffix comes from configuration.
 *   Errors     ERR_FORMAT when the result is longer than a name may be.
 */
#ifndef DNS_OWNER_H
#define DNS_OWNER_H

#include "dns/name.h"

/* proto is "tcp", "udp" or "sctp". */
int owner_tlsa(uint16_t port, const char *proto, const struct name *host, struct name *out);
int owner_join_eui(uint64_t join_eui, const struct name *suffix, struct name *out);
int owner_net_id(uint32_t net_id, const struct name *suffix, struct name *out);

#endif
