/* SPDX-License-Identifier: Apache-2.0 */
/*
 * homens - HomeNSReq and HomeNSAns: which network is a device's home.
 *
 *   Source     TS002-1.0.0 sections 12 and 15; TS002-1.1.0 sections 12 and 23 (HNSID).
 *   Errors     ERR_FORMAT with words; *out only on success.
 */
#ifndef BACKEND_HOMENS_H
#define BACKEND_HOMENS_H

#include "backend/header.h"
#include "backend/result.h"

struct homens_req {
	uint64_t dev_eui;
};

struct homens_ans {
	struct result result;
	/* The rest is there on success only. */
	uint32_t h_net_id;
	bool has_hnsid; /* 1.1 */
	uint64_t hnsid;
};

int homens_read_req(const struct doc *root, struct homens_req *out, struct err *err);
bool homens_write_req(struct buf *out, const struct header *h, const struct homens_req *r);
int homens_read_ans(const struct doc *root, struct homens_ans *out, struct err *err);
bool homens_write_ans(struct buf *out, const struct header *h, const struct homens_ans *a);

#endif
