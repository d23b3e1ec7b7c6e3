/* SPDX-License-Identifier: Apache-2.0 */
/* A machine that slept for an hour, played by a time namespace in which CLOCK_BOOTTIME is an hour
 * on. */
#include "check.h"
#include "resolve/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLEPT_S 3600

static int64_t monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* For the children of this process. */
static bool begin_sleep(void)
{
	static const char words[] = "boottime 3600 0\n";
	int fd = unshare(CLONE_NEWTIME) == 0
		? open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC)
		: -1;
	bool done = fd >= 0 && write(fd, words, strlen(words)) == (ssize_t)strlen(words);

	if (fd >= 0)
		close(fd);
	return done;
}

static void answers_grow_old_while_the_machine_sleeps(void **state)
{
	int64_t before = resolver_now() - monotonic_ms();
	int status;
	pid_t pid;

	(void)state;
	if (!begin_sleep())
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int64_t slept = resolver_now() - monotonic_ms() - before;

		_exit(slept > SLEPT_S * 1000 - 1000 && slept < SLEPT_S * 1000 + 1000 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_grow_old_while_the_machine_sleeps),
	};

	return cmocka_run_group_tests_name("resolve/clock", tests, NULL, NULL);
}
