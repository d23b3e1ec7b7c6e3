/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/via.h"

#include "publish/child.h"
#include "publish/fragment.h"
#include "publish/update.h"
#include "resolve/address.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct via {
	const struct via_settings *settings;
	struct name zone;
	char address[ADDRESS_TEXT_MAX];
	struct tsigkey key;
	struct primary primary;
};

static int check_settings(const struct via_settings *s, struct err *err)
{
	if (!s->zone)
		return err_set(err, ERR_ARG, "zone: missing");
	switch (s->kind) {
	case VIA_UPDATE:
		if (!s->server || !s->key_file)
			return err_set(err, ERR_ARG, "update: needs server and key_file");
		return 0;
	case VIA_FRAGMENT:
		if (!s->file || strlen(s->file) + sizeof(".reload") > PATH_MAX)
			return err_set(err, ERR_ARG, "fragment: needs file, a path that fits");
		return 0;
	case VIA_HOOK:
		if (!s->hook || !s->server)
			return err_set(err, ERR_ARG, "hook: needs hook, and server to ask");
		return 0;
	}
	return err_set(err, ERR_ARG, "back end: unknown");
}

static int open_primary(struct via *v, struct err *err)
{
	const struct via_settings *s = v->settings;
	struct address address;
	int rc = address_read(s->server, &address, err);

	if (rc != 0)
		return err_wrap(err, rc, "server");
	address_write(&address, v->address);
	v->address[strcspn(v->address, "@")] = '\0';
	v->primary = (struct primary){ .address = v->address,
		.port = address.port,
		.timeout_ms = s->timeout_ms ? s->timeout_ms : VIA_TIMEOUT_MS };
	if (!s->key_file)
		return 0;
	rc = tsigkey_load(s->key_file, &v->key, err);
	v->primary.key = &v->key;
	return rc;
}

int via_open(const struct via_settings *settings, struct via **out, struct err *err)
{
	int rc = check_settings(settings, err);
	struct via *v;

	if (rc != 0)
		return rc;
	v = calloc(1, sizeof(*v));
	if (!v)
		return err_set(err, ERR_NOMEM, "out of memory");
	v->settings = settings;
	if (name_of(settings->zone, &v->zone) != 0)
		rc = err_set(err, ERR_FORMAT, "zone '%s': not a domain name", settings->zone);
	else if (settings->server)
		rc = open_primary(v, err);
	if (rc != 0)
		via_close(v);
	else
		*out = v;
	return rc;
}

void via_close(struct via *v)
{
	if (!v)
		return;
	tsigkey_wipe(&v->key);
	free(v);
}

const struct name *via_zone(const struct via *v)
{
	return &v->zone;
}

static int check_owner(const struct via *v, const struct name *owner, struct err *err)
{
	char text[NAME_TEXT_MAX];

	if (name_is_within(owner, &v->zone))
		return 0;
	if (name_write_text(owner, text, sizeof(text)) != 0)
		text[0] = '\0';
	return err_set(err, ERR_ARG, "'%s': not in zone '%s'", text, v->settings->zone);
}

int via_read(const struct via *v, const struct name *owner, uint16_t type, struct rrset *out,
	struct err *err)
{
	int rc = check_owner(v, owner, err);

	if (rc != 0)
		return rc;
	if (v->settings->kind == VIA_FRAGMENT)
		return fragment_read(v->settings->file, owner, type, out, err);
	return primary_read(&v->primary, owner, type, out, err);
}

int via_read_many(const struct via *v, const struct name *owners, size_t count, uint16_t type,
	struct rrset *out, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = check_owner(v, &owners[i], err);
	if (rc == 0 && v->settings->kind == VIA_FRAGMENT)
		return fragment_read_many(v->settings->file, owners, count, type, out, err);
	if (rc == 0 && v->settings->kind == VIA_UPDATE)
		return primary_read_many(&v->primary, owners, count, type, out, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = primary_read(&v->primary, &owners[i], type, &out[i], err);
	return rc;
}

/* One message, and where it is. */
struct sent {
	struct update *update;
	struct update_flight *flight;
};

static int send_group(const struct via *v, const struct via_group *g, struct sent *s,
	struct err *err)
{
	int rc = update_new(v->settings->zone, &s->update, err);

	for (size_t i = 0; rc == 0 && i < g->count; i++)
		rc = update_change(s->update, &g->list[i], err);
	return rc == 0 ? update_begin(s->update, &v->primary, &s->flight, err) : rc;
}

/* All are sent, then each is waited for, also after one that failed: what became of it counts. */
static int apply_updates(const struct via *v, struct via_group *groups, size_t count,
	struct err *err)
{
	struct sent sent[VIA_GROUPS_MAX] = { 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = groups[i].count ? send_group(v, &groups[i], &sent[i], err) : 0;
	for (size_t i = 0; i < count; i++) {
		enum update_outcome outcome = UPDATE_DONE;

		if (sent[i].flight) {
			int own = update_end(sent[i].flight, &outcome, NULL, rc ? NULL : err);

			rc = rc ? rc : own;
		}
		groups[i].outcome = outcome == UPDATE_MOVED ? VIA_MOVED : VIA_DONE;
		update_flight_free(sent[i].flight);
		update_free(sent[i].update);
	}
	return rc;
}

static unsigned command_ms(const struct via *v)
{
	return v->settings->timeout_ms ? v->settings->timeout_ms : VIA_TIMEOUT_MS;
}

/* FILE.reload stands from before the file changes until the reload has gone well: one that
 * failed is done again with the next change, or with none. */
static int apply_fragment(const struct via *v, const struct change *list, size_t count, bool *moved,
	struct err *err)
{
	const char *const none[] = { NULL };
	char due[PATH_MAX];
	int fd, rc = 0;

	if (v->settings->reload && count) {
		snprintf(due, sizeof(due), "%s.reload", v->settings->file);
		fd = open(due, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return err_set(err, ERR_SYSTEM, "%s: %s", due, strerror(errno));
		close(fd);
	}
	if (count)
		rc = fragment_apply(v->settings->file, list, count, moved, err);
	if (rc != 0 || *moved || !v->settings->reload)
		return rc;
	snprintf(due, sizeof(due), "%s.reload", v->settings->file);
	if (access(due, F_OK) != 0)
		return 0;
	rc = child_run(v->settings->reload, none, command_ms(v), err);
	if (rc == 0)
		unlink(due);
	return rc;
}

/* The variables of one call of the hook, in memory of their own. */
struct call {
	struct buf action, zone, name, type, ttl, data;
};

static void call_done(struct call *c)
{
	buf_done(&c->action);
	buf_done(&c->zone);
	buf_done(&c->name);
	buf_done(&c->type);
	buf_done(&c->ttl);
	buf_done(&c->data);
}

static int call_hook(const struct via *v, const char *action, const struct rrset *s,
	struct span rdata, struct err *err)
{
	char owner[NAME_TEXT_MAX], type[12];
	struct call c = { 0 };
	int rc = 0;

	if (name_write_text(&s->owner, owner, sizeof(owner)) != 0)
		return err_set(err, ERR_FORMAT, "hook: a name that cannot be written");
	buf_printf(&c.action, "SARDANE_ACTION=%s", action);
	buf_printf(&c.zone, "SARDANE_ZONE=%s", v->settings->zone);
	buf_printf(&c.name, "SARDANE_NAME=%s", owner);
	buf_printf(&c.type, "SARDANE_TYPE=%s", rr_type_word(s->type, type, sizeof(type)));
	buf_printf(&c.ttl, "SARDANE_TTL=%u", s->ttl_s);
	buf_text(&c.data, "SARDANE_RDATA=");
	rrset_write_data(s->type, rdata, &c.data);

	const char *const variables[] = { buf_string(&c.action), buf_string(&c.zone),
		buf_string(&c.name), buf_string(&c.type), buf_string(&c.ttl), buf_string(&c.data),
		NULL };

	for (size_t i = 0; rc == 0 && i < sizeof(variables) / sizeof(variables[0]) - 1; i++)
		if (!variables[i])
			rc = err_set(err, ERR_NOMEM, "hook: out of memory");
	if (rc == 0)
		rc = child_run(v->settings->hook, variables, command_ms(v), err);
	call_done(&c);
	return rc == 0 ? 0 : err_wrap(err, rc, "hook to %s '%s'", action, owner);
}

static int hook_change(const struct via *v, const struct change *c, bool *moved, struct err *err)
{
	bool retimed = c->before.ttl_s != c->after.ttl_s;
	struct rrset now = { 0 };
	int rc = via_read(v, &c->after.owner, c->after.type, &now, err);

	if (rc != 0)
		return rc;
	*moved = !rrset_equal(&now, &c->before);
	rrset_done(&now);
	if (*moved)
		return 0;
	for (size_t i = 0; rc == 0 && i < c->after.count; i++)
		if (retimed || !rrset_has(&c->before, c->after.rdata[i]))
			rc = call_hook(v, "add", &c->after, c->after.rdata[i], err);
	for (size_t i = 0; rc == 0 && i < c->before.count; i++)
		if (!rrset_has(&c->after, c->before.rdata[i]))
			rc = call_hook(v, "remove", &c->before, c->before.rdata[i], err);
	return rc;
}

static int apply_hook(const struct via *v, const struct change *list, size_t count, bool *moved,
	struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && !*moved && i < count; i++)
		rc = hook_change(v, &list[i], moved, err);
	return rc;
}

int via_apply(const struct via *v, const struct change *list, size_t count, enum via_outcome *out,
	struct err *err)
{
	bool moved = false;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = check_owner(v, &list[i].after.owner, err);
	if (rc != 0)
		return rc;
	switch (v->settings->kind) {
	case VIA_UPDATE: {
		struct via_group group = { list, count, VIA_DONE };

		rc = apply_updates(v, &group, 1, err);
		moved = group.outcome == VIA_MOVED;
		break;
	}
	case VIA_FRAGMENT: rc = apply_fragment(v, list, count, &moved, err); break;
	case VIA_HOOK: rc = apply_hook(v, list, count, &moved, err); break;
	}
	if (rc == 0)
		*out = moved ? VIA_MOVED : VIA_DONE;
	return rc;
}

int via_apply_many(const struct via *v, struct via_group *groups, size_t count, struct err *err)
{
	int rc = 0;

	if (count > VIA_GROUPS_MAX)
		return err_set(err, ERR_ARG, "changes: more than %d at once", VIA_GROUPS_MAX);
	for (size_t g = 0; rc == 0 && g < count; g++)
		for (size_t i = 0; rc == 0 && i < groups[g].count; i++)
			rc = check_owner(v, &groups[g].list[i].after.owner, err);
	if (rc == 0 && v->settings->kind == VIA_UPDATE)
		return apply_updates(v, groups, count, err);
	for (size_t g = 0; rc == 0 && g < count; g++)
		rc = via_apply(v, groups[g].list, groups[g].count, &groups[g].outcome, err);
	return rc;
}

/* A message has at most 65,535 octets; its header, zone and TSIG want some of them. */
#define MESSAGE_ROOM 60000

size_t via_room(const struct via *v)
{
	return v->settings->kind == VIA_UPDATE ? MESSAGE_ROOM : SIZE_MAX;
}

size_t via_octets(const struct change *c)
{
	const size_t head = c->after.owner.n + 10u; /* type, class, TTL, length */
	size_t n = head;

	/* twice each at most: demanded, and changed */
	for (size_t i = 0; i < c->before.count; i++)
		n += 2 * (head + c->before.rdata[i].n);
	for (size_t i = 0; i < c->after.count; i++)
		n += head + c->after.rdata[i].n;
	return n;
}
