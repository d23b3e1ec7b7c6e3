/* SPDX-License-Identifier: Apache-2.0 */
/* verify - V: the processor time of one ECDSA P-256 verification, the measure of a machine. */
#ifndef BENCH_VERIFY_H
#define BENCH_VERIFY_H

/* Microseconds, the mean of so many. Ends the process when OpenSSL cannot. */
double verify_us(unsigned times);

/*
 * The longest of so many stretches of three verifications each, in microseconds of processor time:
 * what the machine makes of work that never differs. A host that takes the processor away without
 * a word is seen here.
 */
double verify_longest_us(unsigned stretches);

#endif
