/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "program/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/sardane-sandbox-XXXXXX";

/* A sandbox cannot be left, so each is entered by a child; its exit status is the answer. */
static int in_child(int (*body)(void))
{
	pid_t child = fork();
	int status = -1;

	if (child == 0)
		_exit(body());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int locked(void)
{
	const char *const write[] = { folder, NULL };
	struct sandbox s = { .write = write, .landlock = true, .seccomp = true };
	const char *words = "";
	char file[64];
	bool landlock;
	int fd;

	if (sandbox_enter(&s, &words, NULL) != 0 || !strstr(words, "seccomp"))
		return 1;
	snprintf(file, sizeof(file), "%s/new", folder);
	fd = open(file, O_CREAT | O_RDWR, 0600);
	if (fd < 0 || close(fd) != 0 || unlink(file) != 0)
		return 2;
	landlock = strstr(words, "landlock");
	if (landlock && (open("/etc/hostname", O_RDONLY) >= 0 || errno != EACCES))
		return 3;
	if (landlock && (open("/tmp", O_RDONLY) >= 0 || errno != EACCES))
		return 4;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 || errno != EPERM)
		return 5;
	if (execl("/bin/true", "true", NULL) == 0 || errno != EPERM)
		return 6;
	return 0;
}

static int gate[2];

/* Asking for the clock's settings is harmless where it is allowed. */
static void *try_from_a_thread(void *arg)
{
	struct timex none = { 0 };
	char octet;
	bool refused = read(gate[0], &octet, 1) == 1 && adjtimex(&none) < 0 && errno == EPERM;

	(void)arg;
	return refused ? NULL : gate;
}

static int entered_with_a_thread_running(void)
{
	struct sandbox s = { .seccomp = true };
	pthread_t thread;
	void *unheld = NULL;

	if (pipe(gate) != 0 || pthread_create(&thread, NULL, try_from_a_thread, NULL) != 0)
		return 1;
	if (sandbox_enter(&s, NULL, NULL) != 0 || write(gate[1], "x", 1) != 1)
		return 2;
	if (pthread_join(thread, &unheld) != 0 || unheld)
		return 3;
	return 0;
}

static int asked_for_a_path_that_is_not_there(void)
{
	const char *const read[] = { "/nowhere/at/all", NULL };
	struct sandbox s = { .read = read, .landlock = true };
	const char *words = "";
	struct err err = { 0 };

	if (sandbox_enter(&s, &words, &err) == 0)
		return strstr(words, "landlock") ? 1 : 0;
	return strstr(err.msg, "/nowhere/at/all") ? 0 : 2;
}

static int asked_for_a_user_that_is_not_there(void)
{
	struct sandbox s = { .user = "no-such-user" };
	struct err err = { 0 };

	if (geteuid() != 0)
		return 0;
	return sandbox_enter(&s, NULL, &err) == ERR_SYSTEM ? 0 : 1;
}

static int asked_to_be_nobody(void)
{
	struct sandbox s = { .user = "nobody" };

	if (geteuid() != 0)
		return 0;
	if (sandbox_enter(&s, NULL, NULL) != 0)
		return 1;
	return geteuid() != 0 && setuid(0) != 0 && access("/etc/shadow", R_OK) != 0 ? 0 : 2;
}

static void leaves_only_what_was_asked_for(void **state)
{
	(void)state;
	assert_int_equal(in_child(locked), 0);
}

static void refuses_paths_and_users_that_are_not_there(void **state)
{
	(void)state;
	assert_int_equal(in_child(asked_for_a_path_that_is_not_there), 0);
	assert_int_equal(in_child(asked_for_a_user_that_is_not_there), 0);
}

static void holds_threads_that_were_there_before(void **state)
{
	(void)state;
	assert_int_equal(in_child(entered_with_a_thread_running), 0);
}

static void cannot_become_root_again(void **state)
{
	(void)state;
	assert_int_equal(in_child(asked_to_be_nobody), 0);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(leaves_only_what_was_asked_for),
		TEST(refuses_paths_and_users_that_are_not_there),
		TEST(holds_threads_that_were_there_before),
		TEST(cannot_become_root_again),
	};

	return cmocka_run_group_tests_name("sandbox", tests, make_folder, remove_folder);
}
