/* SPDX-License-Identifier: Apache-2.0 */
/* verify - V: the processor time of one ECDSA P-256 verification, the measure of a machine. */
#ifndef BENCH_VERIFY_H
#define BENCH_VERIFY_H

/* Microseconds, the mean of so many. Ends the process when OpenSSL cannot. */
double verify_us(unsigned times);

#endif
