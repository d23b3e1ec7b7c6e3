/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own - who frees what, said where the variable is born.
 *
 *   OWNED(X509) cert = NULL;   freed when cert leaves scope, on every path
 *   *out = TAKE(cert);         ownership moves to *out; cert is now NULL
 *   OWNED_TYPE(X509, X509_free) once per type, in the header that declares it
 *
 * gcc and clang only (cleanup attribute); the device library does not use it.
 */
#ifndef CORE_OWN_H
#define CORE_OWN_H

#include <stddef.h>

#define OWNED(type) __attribute__((cleanup(own_drop_##type))) type *

#define OWNED_TYPE(type, free_fn)                    \
	static inline void own_drop_##type(type **p) \
	{                                            \
		if (*p)                              \
			free_fn(*p);                 \
	}

#define TAKE(p)                         \
	({                              \
		typeof(p) taken_ = (p); \
		(p) = NULL;             \
		taken_;                 \
	})

#endif
