/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_gwmp - what a PUSH_DATA costs the Network Server, through real sockets.
 *
 * A child sends as fast as it is let; the parent runs the server's own socket code (recvmmsg,
 * acknowledgements by sendmmsg) and counts its processor time. Three depths, interleaved: the
 * socket and the acknowledgement alone, the JSON too, and the whole engine with its collecting
 * of copies.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "network/network.h"
#include "networkd/udp.h"

#define PACKETS 200000
#define ROUNDS  3
#define FRAMES  512 /* different ones, each heard by 8 gateways */

enum depth { ACKNOWLEDGED, PARSED, DECIDED };

struct run {
	uv_loop_t loop;
	enum depth depth;
	struct network *network;
	uint64_t taken, frames;
	struct gwmp_push push;
};

static void take(void *arg, const struct gateway_address *from, struct span datagram)
{
	struct run *r = arg;
	struct gwmp m;

	r->taken++;
	if (r->depth == DECIDED)
		network_datagram(r->network, (int64_t)(uv_hrtime() / 1000000), from, datagram);
	else if (r->depth == PARSED && gwmp_read(datagram, &m) == 0 &&
		gwmp_read_push(m.json, &r->push, NULL) == 0)
		r->frames += r->push.count;
}

static bool after(void *arg)
{
	struct run *r = arg;
	static struct network_event ev;

	while (r->depth == DECIDED &&
		network_next(r->network, (int64_t)(uv_hrtime() / 1000000), &ev))
		;
	if (r->taken >= PACKETS)
		uv_stop(&r->loop);
	return true;
}

/* As packet forwarders write it: 252 octets of JSON. */
static size_t packet(unsigned i, uint8_t *out, size_t cap)
{
	struct gwmp_push p = { .count = 1 };
	struct gwmp m = { .version = 2,
		.token = (uint16_t)i,
		.gateway = 0xaa555a0000000000u + i % 8 };
	char json[512];
	size_t n;

	p.rxpk[0] = (struct gwmp_rxpk){ .tmst = 3512348611u + i,
		.chan = 2,
		.freq = 868300000,
		.stat = 1,
		.time = "2026-11-22T04:30:00.123456Z",
		.rate = { .sf = 7, .bandwidth_khz = 125 },
		.codr = 5,
		.rssi = -35,
		.lsnr = 51,
		.size = 32 };
	p.rxpk[0].data[0] = 0x40;
	p.rxpk[0].data[6] = (uint8_t)(i / 8);
	p.rxpk[0].data[7] = (uint8_t)(i / 8 / 256);
	if (gwmp_write_push(&p, json, sizeof(json), &n) < 0)
		abort();
	m.json = (struct span){ (uint8_t *)json, n };
	if (gwmp_write(&m, out, cap, &n) < 0)
		abort();
	return n;
}

static void send_for_ever(uint16_t port)
{
	static uint8_t octets[FRAMES * 8][400];
	static struct iovec part[FRAMES * 8];
	static struct mmsghdr out[FRAMES * 8];
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), small = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Nobody reads the acknowledgements: they must not cost the sender. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		_exit(1);
	for (unsigned i = 0; i < FRAMES * 8; i++) {
		part[i] = (struct iovec){ octets[i], packet(i, octets[i], sizeof(octets[i])) };
		out[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &part[i], .msg_iovlen = 1 } };
	}
	for (unsigned i = 0;; i = (i + 64) % (FRAMES * 8))
		sendmmsg(fd, out + i, 64, 0);
}

static double cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return (double)u.ru_utime.tv_sec * 1e6 + (double)u.ru_utime.tv_usec +
		(double)u.ru_stime.tv_sec * 1e6 + (double)u.ru_stime.tv_usec;
}

/* Microseconds of processor per datagram, all of it: the kernel's part too. */
static double measure(enum depth depth)
{
	static struct run r;
	struct network_config config = { .deduplication_ms = 200, .seed = 7 };
	struct udp_user user = { take, after, &r };
	struct udp *udp;
	struct err err;
	double us;
	pid_t child;

	memset(&r, 0, sizeof(r));
	r.depth = depth;
	uv_loop_init(&r.loop);
	if (network_new(&config, &r.network, &err) < 0 ||
		udp_new(&r.loop, "127.0.0.1:0", ~0u, user, &udp, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		exit(1);
	}
	child = fork();
	if (child == 0)
		send_for_ever(udp_port(udp));
	us = cpu_us();
	uv_run(&r.loop, UV_RUN_DEFAULT);
	us = (cpu_us() - us) / (double)r.taken;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	if (depth == PARSED && r.frames != r.taken) {
		fprintf(stderr, "%llu frames out of %llu datagrams\n", (unsigned long long)r.frames,
			(unsigned long long)r.taken);
		exit(1);
	}
	udp_free(udp);
	uv_run(&r.loop, UV_RUN_DEFAULT);
	uv_loop_close(&r.loop);
	network_free(r.network);
	return us;
}

int main(void)
{
	double best[3] = { 1e9, 1e9, 1e9 };

	for (int i = 0; i < ROUNDS; i++)
		for (int d = ACKNOWLEDGED; d <= DECIDED; d++) {
			double us = measure((enum depth)d);

			best[d] = us < best[d] ? us : best[d];
		}
	printf("gwmp_acknowledged_us\t%.2f\tus\t-\trecvmmsg, head, sendmmsg; processor time\n",
		best[ACKNOWLEDGED]);
	printf("gwmp_parsed_us\t%.2f\tus\t-\tand JSON and base64\n", best[PARSED]);
	printf("gwmp_decided_us\t%.2f\tus\t-\tand the engine, 8 copies of each frame\n",
		best[DECIDED]);
	printf("gwmp_push_data_per_s\t%.0f\t1/s\t>= 100000\tper core, parsed and acknowledged\n",
		1e6 / best[PARSED]);
	printf("gwmp_decided_per_s\t%.0f\t1/s\t-\tper core, with the engine\n",
		1e6 / best[DECIDED]);
	return 0;
}
