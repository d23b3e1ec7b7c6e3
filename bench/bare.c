/* SPDX-License-Identifier: Apache-2.0 */
#include "bare.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PEERS 64
#define PAGE  4096
#define WRAP  1000 /* pages: a log that is begun again */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t some = PTHREAD_COND_INITIALIZER;
static int waiting[PEERS], done[PEERS]; /* sockets */
static unsigned waiting_n, done_n;
static int file, wake;

static void must(int fine)
{
	if (!fine)
		_exit(1);
}

static void keep(unsigned joins)
{
	static const char page[PAGE];
	static unsigned at;

	if (file < 0)
		return;
	for (unsigned i = 0; i < 2 * joins; i++, at = (at + 1) % WRAP) {
		off_t where = at * (off_t)(PAGE + 24);

		must(pwrite(file, page, 24, where) == 24);
		must(pwrite(file, page, PAGE, where + 24) == PAGE);
	}
	must(fdatasync(file) == 0);
}

static void *keeper(void *arg)
{
	int group[PEERS];
	unsigned n;

	(void)arg;
	pthread_mutex_lock(&lock);
	for (;;) {
		if (!waiting_n) {
			pthread_cond_wait(&some, &lock);
			continue;
		}
		for (n = 0; waiting_n; n++)
			group[n] = waiting[--waiting_n];
		pthread_mutex_unlock(&lock);
		keep(n);
		pthread_mutex_lock(&lock);
		while (n)
			done[done_n++] = group[--n];
		must(write(wake, &(uint64_t){ 1 }, 8) == 8);
	}
	return NULL;
}

static void deliver(void)
{
	static const char answer[BARE_ANSWERED];
	int group[PEERS];
	uint64_t count;
	unsigned n;

	must(read(wake, &count, 8) == 8);
	pthread_mutex_lock(&lock);
	for (n = 0; done_n; n++)
		group[n] = done[--done_n];
	pthread_mutex_unlock(&lock);
	while (n)
		must(send(group[--n], answer, sizeof(answer), MSG_NOSIGNAL) > 0);
}

static void take(int fd)
{
	char asked[BARE_ASKED];
	unsigned n;

	if (recv(fd, asked, sizeof(asked), 0) <= 0) {
		close(fd);
		return;
	}
	pthread_mutex_lock(&lock);
	waiting[waiting_n] = fd;
	n = ++waiting_n;
	pthread_mutex_unlock(&lock);
	if (n == 1)
		pthread_cond_signal(&some);
}

static void watch(int epoll, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == 0);
}

static void serve(int listener)
{
	int epoll = epoll_create1(0), one = 1;
	struct epoll_event events[PEERS];
	pthread_t thread;

	wake = eventfd(0, 0);
	watch(epoll, wake);
	watch(epoll, listener);
	must(pthread_create(&thread, NULL, keeper, NULL) == 0);
	for (;;) {
		int n = epoll_wait(epoll, events, PEERS, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == wake) {
				deliver();
			} else if (fd == listener) {
				fd = accept(listener, NULL, NULL);
				setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
				watch(epoll, fd);
			} else {
				take(fd);
			}
		}
	}
}

unsigned bare_start(const char *path, pid_t *pid)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	if ((path && file < 0) || bind(listener, (struct sockaddr *)&at, n) ||
		listen(listener, PEERS) || getsockname(listener, (struct sockaddr *)&at, &n))
		return 0;
	*pid = fork();
	if (*pid < 0)
		return 0;
	if (!*pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		keep(WRAP / 2); /* the file has its length before it counts */
		serve(listener);
		_exit(0);
	}
	close(listener);
	close(file);
	return ntohs(at.sin_port);
}
