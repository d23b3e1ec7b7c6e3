/* SPDX-License-Identifier: Apache-2.0 */
/* The two examples against each other, in a signed DNS world of their own. */
#include "certs.h"
#include "check.h"
#include "tlsworld.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct tlsworld world;
static struct certs_leaf server, client, stranger;
static int port, server_pid;
static FILE *server_says;

/* Below those of a lab, and those that the system gives to whoever connects: one of them would be
 * taken meanwhile. */
static int free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	uint16_t any;

	do {
		assert_int_equal(getrandom(&any, sizeof any, 0), sizeof any);
		a.sin_port = htons((uint16_t)(10240 + any % 6144));
	} while (bind(fd, (struct sockaddr *)&a, sizeof a) != 0);
	close(fd);
	return ntohs(a.sin_port);
}

/* What the client prints, and its exit code. */
static int run_client(const char *cert, const char *name, char *out, size_t cap)
{
	char command[1024], key[64];

	snprintf(key, sizeof key, "%s-key.pem", cert);
	snprintf(command, sizeof command, "%s js.org.example %d %s/%s.pem %s/%s %s 2>&1",
		getenv("EXAMPLE_CLIENT"), port, world.folder, cert, world.folder, key, name);
	FILE *f = popen(command, "r");
	assert_non_null(f);
	size_t n = fread(out, 1, cap - 1, f);
	out[n] = 0;
	return pclose(f);
}

static void assert_server_says(const char *what)
{
	char line[512];
	struct pollfd p = { .fd = fileno(server_says), .events = POLLIN };

	assert_int_equal(poll(&p, 1, 30000), 1);
	assert_non_null(fgets(line, sizeof line, server_says));
	if (!strstr(line, what))
		fail_msg("the server said '%s', not '%s'", line, what);
}

static void each_prints_who_the_other_is(void **state)
{
	char out[2000];

	(void)state;
	assert_int_equal(run_client("client", "_ns-client.org.example", out, sizeof out), 0);
	assert_non_null(strstr(out, "server js.org.example: TLSA 3 1 1"));
	assert_non_null(strstr(out, "hello"));
	assert_server_says("welcome _ns-client.org.example: TLSA 3 1 1");
}

static void a_stranger_is_refused_and_told_nothing(void **state)
{
	char out[2000];

	(void)state;
	assert_int_not_equal(run_client("stranger", "_ns-client.org.example", out, sizeof out), 0);
	assert_non_null(strstr(out, "no greeting"));
	assert_server_says("refused _ns-client.org.example: certificate at depth 0: no matching");
	assert_int_not_equal(run_client("stranger", "_ns.elsewhere", out, sizeof out), 0);
	assert_server_says("refused _ns.elsewhere: no policy");
}

static void start_server(void)
{
	char cert[128], key[128], number[16];
	int out[2];

	snprintf(cert, sizeof cert, "%s/server.pem", world.folder);
	snprintf(key, sizeof key, "%s/server-key.pem", world.folder);
	snprintf(number, sizeof number, "%d", port);
	assert_int_equal(pipe(out), 0);
	server_pid = fork();
	assert_true(server_pid >= 0);
	if (server_pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], 1);
		close(out[0]);
		close(out[1]);
		execl(getenv("EXAMPLE_SERVER"), "server", number, cert, key, "example",
			(char *)NULL);
		_exit(127);
	}
	close(out[1]);
	server_says = fdopen(out[0], "r");
	setvbuf(server_says, NULL, _IONBF, 0);
	assert_server_says("listening");
}

static int start(void **state)
{
	char text[200];

	(void)state;
	tlsworld_init(&world);
	port = free_port();
	server = certs_make(&(struct certs_wish){ .cn = "server" });
	client = certs_make(&(struct certs_wish){ .cn = "client" });
	stranger = certs_make(&(struct certs_wish){ .cn = "stranger" });
	certs_write(world.folder, "server", &server, NULL);
	certs_write(world.folder, "client", &client, NULL);
	certs_write(world.folder, "stranger", &stranger, NULL);
	tlsworld_add(&world, TLSWORLD_SIGNED, "js.org IN A 127.0.0.1");
	certs_tlsa(&server, 3, 1, 1, text, sizeof text);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_%d._tcp.js.org IN TLSA %s", port, text);
	certs_tlsa(&client, 3, 1, 1, text, sizeof text);
	tlsworld_add(&world, TLSWORLD_SIGNED, "_ns-client.org IN TLSA %s", text);
	tlsworld_start(&world);
	setenv("SARDANE_FORWARD", world.forward, 1);
	setenv("SARDANE_ANCHOR", world.anchor, 1);
	start_server();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	kill(server_pid, SIGTERM);
	waitpid(server_pid, NULL, 0);
	fclose(server_says);
	tlsworld_stop(&world);
	certs_drop(&server);
	certs_drop(&client);
	certs_drop(&stranger);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_prints_who_the_other_is),
		TEST(a_stranger_is_refused_and_told_nothing),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
