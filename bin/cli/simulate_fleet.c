/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/simulate_fleet.h"
#include "base/hex.h"
#include "base/sink.h"
#include "core/secret.h"
#include "lorawan/cmac.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 1024
#define COLUMNS_MAX     32

static struct span text(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

void simulate_fleet_free(struct simulate_fleet *f)
{
	if (f->device)
		secret_wipe_octets(f->device, f->count * sizeof(*f->device));
	free(f->device);
	*f = (struct simulate_fleet){ 0 };
}

/* CMAC under the seed of DevEUI and the key's letter: the same device has the same keys. */
static void derive_key(struct aes *a, uint64_t dev_eui, uint8_t letter, uint8_t out[16])
{
	struct block key = aes_block(a);
	uint8_t message[9];
	struct sink s = sink_into(message, sizeof(message));

	sink_u64_be(&s, dev_eui);
	sink_u8(&s, letter);
	cmac_of(&key, sink_span(&s), out);
}

int simulate_fleet_derive(unsigned int count, uint64_t dev_eui, uint64_t join_eui,
	enum version version, uint64_t seed, struct simulate_fleet *out, struct err *err)
{
	struct simulate_fleet f = { .device = calloc(count, sizeof(*f.device)), .count = count };
	uint8_t seed_key[16] = "sardane";
	struct sink s = sink_into(seed_key + 8, 8);
	struct aes *a;
	int rc;

	if (!f.device)
		return err_set(err, ERR_NOMEM, "devices: out of memory");
	sink_u64_be(&s, seed);
	rc = aes_new(seed_key, &a, err);
	if (rc) {
		simulate_fleet_free(&f);
		return rc;
	}
	for (unsigned int i = 0; i < count; i++) {
		struct simulate_device *d = &f.device[i];

		d->dev_eui = dev_eui + i;
		d->join_eui = join_eui;
		d->version = version;
		derive_key(a, d->dev_eui, 'A', d->app_key);
		if (version_has_two_keys(version))
			derive_key(a, d->dev_eui, 'N', d->nwk_key);
	}
	aes_free(a);
	*out = f;
	return 0;
}

enum column { DEV_EUI, JOIN_EUI, LORAWAN_VERSION, APP_KEY, NWK_KEY, COLUMNS };

static const char *const headings[COLUMNS] = {
	[DEV_EUI] = "dev_eui",
	[JOIN_EUI] = "join_eui",
	[LORAWAN_VERSION] = "lorawan_version",
	[APP_KEY] = "app_key",
	[NWK_KEY] = "nwk_key",
};

/* Cuts line at its commas, in place; quotes around a field are taken off. */
static unsigned int cut(char *line, char *fields[COLUMNS_MAX])
{
	unsigned int n = 0;

	line[strcspn(line, "\r\n")] = '\0';
	while (line && n < COLUMNS_MAX) {
		char *end;

		if (*line == '"') {
			line++;
			end = strchr(line, '"');
			if (end)
				*end++ = '\0';
			end = end ? strchr(end, ',') : NULL;
		} else {
			end = strchr(line, ',');
		}
		fields[n++] = line;
		if (end)
			*end++ = '\0';
		line = end;
	}
	return n;
}

static int read_heading(char *line, int place[COLUMNS], const char *path, struct err *err)
{
	char *fields[COLUMNS_MAX];
	unsigned int n = cut(line, fields);

	for (int c = 0; c < COLUMNS; c++) {
		place[c] = -1;
		for (unsigned int i = 0; i < n; i++)
			if (strcmp(fields[i], headings[c]) == 0)
				place[c] = (int)i;
		if (place[c] < 0 && c != NWK_KEY)
			return err_set(err, ERR_FORMAT, "%s:1: no column '%s'", path, headings[c]);
	}
	return 0;
}

static int read_eui(const char *field, uint64_t *out)
{
	uint8_t octets[8];

	if (hex_read_exact(text(field), octets, sizeof(octets)))
		return ERR_FORMAT;
	*out = 0;
	for (size_t i = 0; i < sizeof(octets); i++)
		*out = *out << 8 | octets[i];
	return 0;
}

static int read_device(char *line, const int place[COLUMNS], struct simulate_device *d,
	const char **column)
{
	char *fields[COLUMNS_MAX];
	const char *at[COLUMNS];
	unsigned int n = cut(line, fields);

	for (int c = 0; c < COLUMNS; c++)
		at[c] = place[c] >= 0 && (unsigned int)place[c] < n ? fields[place[c]] : "";
	*d = (struct simulate_device){ 0 };
	*column = headings[DEV_EUI];
	if (read_eui(at[DEV_EUI], &d->dev_eui))
		return ERR_FORMAT;
	*column = headings[JOIN_EUI];
	if (read_eui(at[JOIN_EUI], &d->join_eui))
		return ERR_FORMAT;
	*column = headings[LORAWAN_VERSION];
	if (version_read(text(at[LORAWAN_VERSION]), &d->version))
		return ERR_FORMAT;
	*column = headings[APP_KEY];
	if (hex_read_exact(text(at[APP_KEY]), d->app_key, sizeof(d->app_key)))
		return ERR_FORMAT;
	*column = headings[NWK_KEY];
	if (version_has_two_keys(d->version) &&
		hex_read_exact(text(at[NWK_KEY]), d->nwk_key, sizeof(d->nwk_key)))
		return ERR_FORMAT;
	return 0;
}

static int grow(struct simulate_fleet *f, unsigned int *cap, struct err *err)
{
	unsigned int wanted = *cap ? *cap * 2 : 64;
	struct simulate_device *more;

	if (f->count < *cap)
		return 0;
	more = calloc(wanted, sizeof(*more));
	if (!more)
		return err_set(err, ERR_NOMEM, "devices: out of memory");
	if (f->device) {
		memcpy(more, f->device, f->count * sizeof(*more));
		secret_wipe_octets(f->device, f->count * sizeof(*f->device));
	}
	free(f->device);
	f->device = more;
	*cap = wanted;
	return 0;
}

static int read_lines(FILE *in, const char *path, unsigned int limit, struct simulate_fleet *f,
	struct err *err)
{
	char line[LINE_MAX_OCTETS];
	unsigned int cap = 0, number = 1;
	const char *column;
	int place[COLUMNS];
	int rc;

	if (!fgets(line, sizeof(line), in))
		return err_set(err, ERR_FORMAT, "%s: empty", path);
	rc = read_heading(line, place, path, err);
	while (!rc && fgets(line, sizeof(line), in) && f->count < limit) {
		number++;
		if (line[strspn(line, " \t\r\n")] == '\0')
			continue;
		rc = grow(f, &cap, err);
		if (!rc && read_device(line, place, &f->device[f->count], &column))
			rc = err_set(err, ERR_FORMAT, "%s:%u: %s is not right", path, number,
				column);
		else if (!rc)
			f->count++;
	}
	secret_wipe_octets(line, sizeof(line));
	if (!rc && f->count == 0)
		return err_set(err, ERR_FORMAT, "%s: no device", path);
	return rc;
}

int simulate_fleet_read(const char *path, unsigned int limit, struct simulate_fleet *out,
	struct err *err)
{
	struct simulate_fleet f = { 0 };
	FILE *in = fopen(path, "re");
	int rc;

	if (!in)
		return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	rc = read_lines(in, path, limit ? limit : SIMULATE_DEVICES_MAX, &f, err);
	fclose(in);
	if (rc)
		simulate_fleet_free(&f);
	else
		*out = f;
	return rc;
}

static void print_device(FILE *to, const struct simulate_device *d)
{
	char app[33], nwk[33] = "";

	hex_write((struct span){ d->app_key, 16 }, app, sizeof(app));
	if (version_has_two_keys(d->version))
		hex_write((struct span){ d->nwk_key, 16 }, nwk, sizeof(nwk));
	fprintf(to, "%016llx,%016llx,%s,%s,%s\n", (unsigned long long)d->dev_eui,
		(unsigned long long)d->join_eui, version_text(d->version), app, nwk);
	secret_wipe_octets(app, sizeof(app));
	secret_wipe_octets(nwk, sizeof(nwk));
}

int simulate_fleet_write(const struct simulate_fleet *f, const char *path, struct err *err)
{
	bool to_stdout = strcmp(path, "-") == 0;
	int fd = to_stdout ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *to = to_stdout ? stdout : fd >= 0 ? fdopen(fd, "w") : NULL;
	bool failed;

	if (!to) {
		int why = errno;

		if (fd >= 0)
			close(fd);
		return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(why));
	}
	fprintf(to, "dev_eui,join_eui,lorawan_version,app_key,nwk_key\n");
	for (unsigned int i = 0; i < f->count; i++)
		print_device(to, &f->device[i]);
	failed = fflush(to) != 0;
	if (!to_stdout)
		failed |= fclose(to) != 0;
	if (failed)
		return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	return 0;
}

static int by_eui(const void *a, const void *b)
{
	const struct simulate_device *const *x = a;
	const struct simulate_device *const *y = b;

	return (*x)->dev_eui < (*y)->dev_eui ? -1 : (*x)->dev_eui > (*y)->dev_eui;
}

/* The fleet by DevEUI; NULL without memory. */
static struct simulate_device **sorted(const struct simulate_fleet *f)
{
	struct simulate_device **s = calloc(f->count, sizeof(struct simulate_device *));

	for (unsigned int i = 0; s && i < f->count; i++)
		s[i] = &f->device[i];
	if (s)
		qsort(s, f->count, sizeof(struct simulate_device *), by_eui);
	return s;
}

struct state_line {
	unsigned long long dev_eui;
	unsigned int nonces_used, join_nonce;
};

static bool read_state_line(const char *line, struct state_line *out)
{
	return sscanf(line, "%16llx,%u,%u", &out->dev_eui, &out->nonces_used, &out->join_nonce) ==
		3 &&
		out->join_nonce <= LORAWAN_NONCE_MAX;
}

static struct simulate_device *find(struct simulate_device **s, unsigned int count,
	unsigned long long dev_eui)
{
	struct simulate_device wanted = { .dev_eui = dev_eui }, *key = &wanted;
	struct simulate_device **found = bsearch(&key, s, count, sizeof(*s), by_eui);

	return found ? *found : NULL;
}

/*
 * Goes through the file: devices of the fleet take their nonces from it, or, with to, the lines
 * of all others are copied there.
 */
static int each_state_line(FILE *in, const char *path, const struct simulate_fleet *f, FILE *to,
	struct err *err)
{
	struct simulate_device **s = sorted(f);
	char line[LINE_MAX_OCTETS];
	unsigned int number = 0;
	int rc = 0;

	if (!s)
		return err_set(err, ERR_NOMEM, "state: out of memory");
	while (!rc && fgets(line, sizeof(line), in)) {
		struct simulate_device *d;
		struct state_line l;

		if (number++ == 0)
			continue;
		if (!read_state_line(line, &l)) {
			rc = err_set(err, ERR_FORMAT, "%s:%u: not a state line", path, number);
			continue;
		}
		d = find(s, f->count, l.dev_eui);
		if (to && !d) {
			fputs(line, to);
		} else if (!to && d) {
			d->nonces_used = l.nonces_used;
			d->join_nonce = l.join_nonce;
			d->has_join_nonce = l.join_nonce > 0;
		}
	}
	free(s);
	return rc;
}

static int each_state_line_of(const char *path, const struct simulate_fleet *f, FILE *to,
	struct err *err)
{
	FILE *in = fopen(path, "re");
	int rc;

	if (!in && errno == ENOENT)
		return 0;
	if (!in)
		return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	rc = each_state_line(in, path, f, to, err);
	fclose(in);
	return rc;
}

int simulate_fleet_load_state(struct simulate_fleet *f, const char *path, struct err *err)
{
	return each_state_line_of(path, f, NULL, err);
}

int simulate_fleet_save_state(const struct simulate_fleet *f, const char *path, struct err *err)
{
	char draft[4096];
	FILE *to;
	bool failed;
	int rc;

	if ((size_t)snprintf(draft, sizeof(draft), "%s.new", path) >= sizeof(draft))
		return err_set(err, ERR_ARG, "%s: too long", path);
	to = fopen(draft, "we");
	if (!to)
		return err_set(err, ERR_SYSTEM, "%s: %s", draft, strerror(errno));
	fprintf(to, "dev_eui,nonces_used,join_nonce\n");
	for (unsigned int i = 0; i < f->count; i++)
		fprintf(to, "%016llx,%u,%u\n", (unsigned long long)f->device[i].dev_eui,
			f->device[i].nonces_used, f->device[i].join_nonce);
	rc = each_state_line_of(path, f, to, err);
	if (rc) {
		fclose(to);
		unlink(draft);
		return rc;
	}
	failed = fflush(to) != 0 || fsync(fileno(to)) != 0;
	failed |= fclose(to) != 0;
	if (failed || rename(draft, path) != 0) {
		int why = errno;

		unlink(draft);
		return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(why));
	}
	return 0;
}
