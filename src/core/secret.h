/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret - key octets: held in place, wiped when dropped, never printed.
 *
 *   Sizes      a LoRaWAN root or session key is 16 octets, a KEK 16, 24 or 32.
 *   Ownership  caller's memory; secret_wipe before it goes out of scope, or
 *              SECRET(k) which does it by itself on every path.
 */
#ifndef CORE_SECRET_H
#define CORE_SECRET_H

#include <stddef.h>
#include <stdint.h>

#define SECRET_MAX 32

struct secret {
	uint8_t octets[SECRET_MAX];
	uint8_t n; /* octets in use; 0 when there is no key */
};

void secret_wipe(struct secret *s);

/* Wipes any memory; the compiler may not leave it out. */
void secret_wipe_octets(void *p, size_t n);

#define SECRET __attribute__((cleanup(secret_wipe))) struct secret

#endif
