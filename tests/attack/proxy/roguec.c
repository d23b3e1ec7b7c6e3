/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roguec - a TLS client over a socket that shows any chain and puts any octets where a ClientName
 * belongs; it believes every server.
 *
 * usage: roguec ADDRESS PORT FILE [no-name | HEX] [second] [tls12] [hold=N]
 *   FILE.pem and FILE-key.pem are what it shows; HEX the extension's octets; second: beside the
 *   second certificate of the file; tls12: no more than TLS 1.2.
 *   hold=N: so many at once, from 127.0.0.2 on, HELD_EACH of each address. The name of each begins
 *   with its number, 000000 in HEX. Prints "held N" once all have said their last word, and stays
 *   until its input ends.
 * Prints "alert N", or "open" when the server let it in; then exit 0.
 */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define CLIENTID  65280
#define HELD_EACH 50
#define WHERE     (SSL_EXT_TLS1_3_CERTIFICATE_REQUEST | SSL_EXT_TLS1_3_CERTIFICATE)

static unsigned char octets[1024];
static size_t octets_n;
static bool on_second;
static int alert;

static int put(SSL *ssl, unsigned type, unsigned context, const unsigned char **out, size_t *n,
	X509 *x, size_t chain_index, int *al, void *arg)
{
	(void)ssl, (void)type, (void)x, (void)al, (void)arg;
	if (context != SSL_EXT_TLS1_3_CERTIFICATE || chain_index != (on_second ? 1 : 0))
		return 0;
	*out = octets;
	*n = octets_n;
	return 1;
}

static int hear(SSL *ssl, unsigned type, unsigned context, const unsigned char *in, size_t n,
	X509 *x, size_t chain_index, int *al, void *arg)
{
	(void)ssl, (void)type, (void)context, (void)in, (void)n, (void)x, (void)chain_index;
	(void)al, (void)arg;
	return 1;
}

static void hear_alert(const SSL *ssl, int where, int value)
{
	(void)ssl;
	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (value & 0xff) != 0)
		alert = value & 0xff;
}

static int connect_to(const char *address, const char *port, uint32_t source)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(source) };
	unsigned n;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&from, sizeof from) != 0)
		return -1;
	if (sscanf(port, "%u", &n) != 1 || inet_pton(AF_INET, address, &a.sin_addr) != 1)
		return -1;
	a.sin_port = htons((uint16_t)n);
	return fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0 ? fd : -1;
}

static bool prepare(SSL_CTX *ctx, const char *file, const char *name)
{
	char path[512];
	unsigned octet;

	snprintf(path, sizeof path, "%s.pem", file);
	if (SSL_CTX_use_certificate_chain_file(ctx, path) != 1)
		return false;
	snprintf(path, sizeof path, "%s-key.pem", file);
	if (SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM) != 1)
		return false;
	SSL_CTX_set_info_callback(ctx, hear_alert);
	if (strcmp(name, "no-name") == 0)
		return true;
	for (; octets_n < sizeof octets && sscanf(name, "%2x", &octet) == 1; name += 2)
		octets[octets_n++] = (unsigned char)octet;
	return SSL_CTX_add_custom_ext(ctx, CLIENTID, WHERE, put, NULL, NULL, hear, NULL) == 1;
}

/* One more connection, its handshake done as far as a client can know. */
static SSL *one(SSL_CTX *ctx, char **argv, unsigned i)
{
	int fd = connect_to(argv[1], argv[2], INADDR_LOOPBACK + 1 + i / HELD_EACH);
	SSL *ssl = SSL_new(ctx);
	char number[7];

	snprintf(number, sizeof number, "%06u", i);
	memcpy(octets + 1, number, 6);
	if (fd >= 0 && ssl && SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

static int hold(SSL_CTX *ctx, char **argv, unsigned count)
{
	SSL **held = calloc(count, sizeof(SSL *));
	struct rlimit files;
	bool all = held != NULL;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return 2;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) != 0 || octets_n < 8)
		return 2;
	for (unsigned i = 0; all && i < count; i++)
		all = (held[i] = one(ctx, argv, i)) != NULL;
	if (all)
		printf("held %u\n", count);
	fflush(stdout);
	all = all && getchar() == EOF;
	/* Without a word: they are cut when this process ends. */
	for (unsigned i = 0; held && i < count; i++)
		SSL_free(held[i]);
	free(held);
	SSL_CTX_free(ctx);
	return all ? 0 : 2;
}

int main(int argc, char **argv)
{
	unsigned held = 0;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	char octet;
	int fd;

	if (argc < 5 || !ctx || !prepare(ctx, argv[3], argv[4]))
		return 2;
	for (int i = 5; i < argc; i++) {
		on_second |= strcmp(argv[i], "second") == 0;
		if (strcmp(argv[i], "tls12") == 0)
			SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
		if (strncmp(argv[i], "hold=", 5) == 0)
			held = (unsigned)strtoul(argv[i] + 5, NULL, 10);
	}
	if (held)
		return hold(ctx, argv, held);
	fd = connect_to(argv[1], argv[2], INADDR_ANY);
	SSL *ssl = SSL_new(ctx);
	if (fd < 0 || !ssl || SSL_set_fd(ssl, fd) != 1)
		return 2;
	/* In TLS 1.3 a client hears only behind its own handshake whether it was let in. */
	bool in = SSL_connect(ssl) == 1 && SSL_write(ssl, "x", 1) == 1 &&
		SSL_read(ssl, &octet, 1) == 1;
	if (in)
		puts("open");
	else
		printf("alert %d\n", alert);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
	return 0;
}
