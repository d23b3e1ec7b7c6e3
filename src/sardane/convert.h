/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convert - between the public types of include/sardane and those of the inside.
 *
 *   The two are laid out alike where that is asserted below, so nothing is copied but words.
 */
#ifndef SARDANE_CONVERT_H
#define SARDANE_CONVERT_H

#include <assert.h>

#include "core/err.h"
#include "dns/name.h"
#include "resolve/resolver.h"
#include "sardane/name.h"
#include "sardane/resolver.h"

static_assert(sizeof(struct sardane_err) == sizeof(struct err) &&
		offsetof(struct sardane_err, msg) == offsetof(struct err, msg),
	"the public error is ours");
static_assert(sizeof(struct sardane_name) == sizeof(struct name) &&
		offsetof(struct sardane_name, wire) == offsetof(struct name, wire),
	"the public name is ours");
static_assert(SARDANE_NOMEM == (int)ERR_NOMEM && SARDANE_PEER == (int)ERR_PEER, "codes");
static_assert(SARDANE_FAILED == (int)ANSWER_FAILED && SARDANE_SECURE == (int)ANSWER_SECURE &&
		SARDANE_DENIAL == (int)ANSWER_DENIAL && SARDANE_INSECURE == (int)ANSWER_INSECURE &&
		SARDANE_BOGUS == (int)ANSWER_BOGUS,
	"DNSSEC status");

static inline struct err *convert_err(struct sardane_err *e)
{
	return (struct err *)e;
}

static inline const struct name *convert_name(const struct sardane_name *n)
{
	return (const struct name *)n;
}

static inline struct name *convert_name_out(struct sardane_name *n)
{
	return (struct name *)n;
}

static inline struct resolver *convert_resolver(struct sardane_resolver *r)
{
	return (struct resolver *)r;
}

#endif
