/* SPDX-License-Identifier: Apache-2.0 */
#include "core/secret.h"

#include <string.h>

void secret_wipe_octets(void *p, size_t n)
{
	explicit_bzero(p, n);
}

void secret_wipe(struct secret *s)
{
	secret_wipe_octets(s, sizeof(*s));
}
