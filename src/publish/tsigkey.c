/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/tsigkey.h"

#include "base/base64.h"
#include "core/secret.h"
#include "crypto/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const algorithms[] = {
	[HMAC_SHA256] = "hmac-sha256",
	[HMAC_SHA384] = "hmac-sha384",
	[HMAC_SHA512] = "hmac-sha512",
};

int tsigkey_new(const char *name, struct tsigkey *out, struct err *err)
{
	uint8_t octets[32];
	int rc = random_octets(octets, sizeof(octets), err);

	if (rc != 0)
		return rc;
	out->digest = HMAC_SHA256;
	snprintf(out->name, sizeof(out->name), "%s", name);
	rc = base64_write((struct span){ octets, sizeof(octets) }, out->secret,
		sizeof(out->secret));
	secret_wipe_octets(octets, sizeof(octets));
	return rc;
}

static const char *read_algorithm(const char *line, enum hmac_digest *out)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
		size_t n = strlen(algorithms[i]);

		if (strncmp(line, algorithms[i], n) != 0 || line[n] != ':')
			continue;
		*out = (enum hmac_digest)i;
		return line + n + 1;
	}
	return NULL;
}

int tsigkey_read(const char *line, struct tsigkey *out, struct err *err)
{
	struct tsigkey key = { 0 };
	const char *name = read_algorithm(line, &key.digest);
	uint8_t octets[TSIGKEY_SECRET_MAX];
	const char *secret;
	size_t n = 0;

	if (!name)
		return err_set(err, ERR_FORMAT,
			"TSIG key: begins with none of hmac-sha256, hmac-sha384, hmac-sha512");
	secret = strchr(name, ':');
	if (!secret || secret == name || (size_t)(secret - name) >= sizeof(key.name))
		return err_set(err, ERR_FORMAT, "TSIG key: not ALGORITHM:NAME:BASE64");
	memcpy(key.name, name, (size_t)(secret - name));
	secret++;
	n = strcspn(secret, "\r\n");
	if (n >= sizeof(key.secret) || secret[n + strspn(secret + n, "\r\n")])
		return err_set(err, ERR_FORMAT, "TSIG key: more than one line, or too long");
	memcpy(key.secret, secret, n);
	if (tsigkey_secret(&key, octets, &n) != 0 || n < 16) {
		tsigkey_wipe(&key);
		return err_set(err, ERR_FORMAT,
			"TSIG key: the secret is not base64 of 16 to 64 octets");
	}
	secret_wipe_octets(octets, sizeof(octets));
	*out = key;
	tsigkey_wipe(&key);
	return 0;
}

const char *tsigkey_algorithm(const struct tsigkey *key)
{
	return algorithms[key->digest];
}

int tsigkey_secret(const struct tsigkey *key, uint8_t out[TSIGKEY_SECRET_MAX], size_t *n)
{
	return base64_read((struct span){ (const uint8_t *)key->secret, strlen(key->secret) }, out,
		TSIGKEY_SECRET_MAX, n);
}

int tsigkey_load(const char *path, struct tsigkey *out, struct err *err)
{
	char line[512];
	struct stat st;
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "TSIG key '%s': %s", path, strerror(errno));
	if (fstat(fd, &st) != 0 || (st.st_mode & 077) != 0) {
		close(fd);
		return err_set(err, ERR_ARG, "TSIG key '%s': others may read it; chmod 600", path);
	}
	n = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (n < 0)
		return err_set(err, ERR_SYSTEM, "TSIG key '%s': %s", path, strerror(errno));
	line[n] = '\0';
	rc = tsigkey_read(line, out, err);
	secret_wipe_octets(line, sizeof(line));
	return rc == 0 ? 0 : err_wrap(err, rc, "'%s'", path);
}

void tsigkey_wipe(struct tsigkey *key)
{
	secret_wipe_octets(key, sizeof(*key));
}
