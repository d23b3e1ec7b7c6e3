/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_command - a line on the command socket: what is read can be written, and reads back equal.
 */
#include <assert.h>
#include <string.h>

#include "application/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct command first, second;
	struct buf line = { 0 };

	if (command_read((struct span){ data, size }, &first, NULL) < 0)
		return 0;
	assert(first.f_port >= 1 && first.f_port <= 223);
	assert(first.n <= DOWNLINK_PAYLOAD_MAX);
	command_write(&first, &line);
	assert(buf_ok(&line) && line.n > 0);
	assert(command_read((struct span){ line.p, line.n - 1 }, &second, NULL) == 0);
	assert(first.dev_eui == second.dev_eui && first.confirmed == second.confirmed);
	assert(first.f_port == second.f_port && first.n == second.n);
	assert(memcmp(first.data, second.data, first.n) == 0);
	assert(strcmp(first.id, second.id) == 0);
	buf_done(&line);
	return 0;
}
