/* SPDX-License-Identifier: Apache-2.0 */
#include "rollover/cover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/name.h"

/* "_8003." and "_tcp.", or no service. */
static const char *behind_service(const char *owner)
{
	static const char *const protos[] = { "_tcp.", "_udp.", "_sctp." };
	const char *proto;
	size_t digits;

	if (owner[0] != '_')
		return NULL;
	digits = strspn(owner + 1, "0123456789");
	if (digits == 0 || digits > 5 || owner[1 + digits] != '.')
		return NULL;
	proto = owner + 2 + digits;
	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++)
		if (strncmp(proto, protos[i], strlen(protos[i])) == 0)
			return proto + strlen(protos[i]);
	return NULL;
}

const char *cover_identity(const char *owner)
{
	const char *host = behind_service(owner);

	return host ? host : owner;
}

bool cover_is_service(const char *owner)
{
	return behind_service(owner) != NULL;
}

static int grow(void **list, size_t *cap, size_t size)
{
	size_t more = *cap ? 2 * *cap : 16;
	void *p = realloc(*list, more * size);

	if (!p)
		return -1;
	*list = p;
	*cap = more;
	return 0;
}

static int add_key(struct cover *c, char *name, size_t owner, bool beside, struct err *err)
{
	if (!name ||
		(c->keys == c->keys_cap &&
			grow((void **)&c->key, &c->keys_cap, sizeof(*c->key)) != 0)) {
		free(name);
		return err_set(err, ERR_NOMEM, "owners: no memory");
	}
	c->key[c->keys++] = (struct cover_key){ name, owner, beside };
	return 0;
}

/* "*." and what is behind the first label of a host. */
static char *wildcard_beside(const char *host)
{
	const char *dot = strchr(host, '.');
	char *name = NULL;

	if (dot && asprintf(&name, "*%s", dot) < 0)
		name = NULL;
	return name;
}

int cover_add(struct cover *c, const char *owner, struct err *err)
{
	const char *identity = cover_identity(owner);
	char *copy = strdup(owner);
	int rc;

	if (!copy ||
		(c->count == c->cap && grow((void **)&c->owner, &c->cap, sizeof(*c->owner)) != 0)) {
		free(copy);
		return err_set(err, ERR_NOMEM, "owners: no memory");
	}
	c->owner[c->count++] = copy;
	rc = add_key(c, strdup(identity), c->count - 1, false, err);
	if (rc == 0 && identity != owner && identity[0] != '*' && strchr(identity, '.'))
		rc = add_key(c, wildcard_beside(identity), c->count - 1, true, err);
	return rc;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct cover_key *)a)->name, ((const struct cover_key *)b)->name);
}

void cover_sort(struct cover *c)
{
	if (c->keys)
		qsort(c->key, c->keys, sizeof(*c->key), compare);
}

void cover_done(struct cover *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->owner[i]);
	for (size_t i = 0; i < c->keys; i++)
		free(c->key[i].name);
	free(c->owner);
	free(c->key);
	*c = (struct cover){ .count = 0 };
}

/* The first key of a name; c->keys when there is none. */
static size_t first_of(const struct cover *c, const char *name)
{
	size_t low = 0, high = c->keys;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(c->key[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool give(const struct cover *c, const char *name, bool exact,
	bool (*each)(void *arg, size_t owner), void *arg)
{
	for (size_t i = first_of(c, name); i < c->keys && strcmp(c->key[i].name, name) == 0; i++)
		if ((exact || !c->key[i].beside) && !each(arg, c->key[i].owner))
			return false;
	return true;
}

void cover_find(const struct cover *c, const char *name, bool (*each)(void *arg, size_t owner),
	void *arg)
{
	char above[NAME_TEXT_MAX + 1];

	/* Longer is no domain name, so nobody is asked for it. */
	if (strlen(name) >= NAME_TEXT_MAX || !give(c, name, true, each, arg))
		return;
	for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.')) {
		snprintf(above, sizeof(above), "*%s", dot);
		if (strcmp(above, name) != 0 && !give(c, above, false, each, arg))
			return;
	}
}
