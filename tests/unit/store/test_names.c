/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "store/fleetbook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct world {
	char dir[64], state[80];
	struct names *names;
};

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	strcpy(w->dir, "/tmp/sardane-names-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->state, sizeof(w->state), "%s/state", w->dir);
	assert_int_equal(names_open(w->state, true, &w->names, NULL), 0);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;
	char command[128];

	names_close(w->names);
	snprintf(command, sizeof(command), "rm -r '%s'", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

static struct names_record record(const char *owner, const char *data, enum names_state state)
{
	return (struct names_record){ .owner = owner,
		.type = 52,
		.rdata = { (const uint8_t *)data, strlen(data) },
		.ttl_s = 60,
		.state = state,
		.since_s = 1700000000 };
}

static int join(void *arg, const struct names_record *r, struct err *err)
{
	char *out = arg;

	(void)err;
	assert_int_equal(r->ttl_s, 60);
	sprintf(out + strlen(out), "%.*s%d ", (int)r->rdata.n, (const char *)r->rdata.p,
		(int)r->state);
	return 0;
}

static void records_are_remembered_with_their_state(void **state)
{
	struct world *w = *state;
	struct names_record a = record("js.example", "a", NAMES_COMING),
			    b = record("js.example", "b", NAMES_THERE),
			    c = record("ns.example", "c", NAMES_THERE);
	char words[64] = "";

	assert_int_equal(names_put_record(w->names, &b, NULL), 0);
	assert_int_equal(names_put_record(w->names, &a, NULL), 0);
	assert_int_equal(names_put_record(w->names, &c, NULL), 0);
	assert_int_equal(names_each_record(w->names, "js.example", 52, join, words, NULL), 0);
	assert_string_equal(words, "a0 b1 ");
	a.state = NAMES_GOING;
	assert_int_equal(names_put_record(w->names, &a, NULL), 0);
	assert_int_equal(names_drop_record(w->names, &b, NULL), 0);
	assert_int_equal(names_drop_record(w->names, &b, NULL), 0);
	names_close(w->names);
	assert_int_equal(names_open(w->state, true, &w->names, NULL), 0);
	words[0] = '\0';
	assert_int_equal(names_each_record(w->names, "js.example", 52, join, words, NULL), 0);
	assert_string_equal(words, "a2 ");
	words[0] = '\0';
	assert_int_equal(names_each_record(w->names, "js.example", 1, join, words, NULL), 0);
	assert_string_equal(words, "");
}

static int join_owner(void *arg, const char *owner, struct err *err)
{
	char *out = arg;

	(void)err;
	sprintf(out + strlen(out), "%s ", owner);
	return 0;
}

static void what_is_revoked_stays_so_until_it_is_pardoned(void **state)
{
	struct world *w = *state;
	struct names_record a = record("js.example", "2a", NAMES_THERE);
	char words[64] = "";

	assert_int_equal(names_put_record(w->names, &a, NULL), 0);
	a.state = NAMES_REVOKED;
	assert_int_equal(names_put_record(w->names, &a, NULL), 0);
	a.state = NAMES_THERE;
	assert_int_equal(names_put_record(w->names, &a, NULL), 0);
	assert_int_equal(names_drop_record(w->names, &a, NULL), 0);
	assert_int_equal(names_each_record(w->names, "js.example", 52, join, words, NULL), 0);
	assert_string_equal(words, "2a3 ");
	words[0] = '\0';
	assert_int_equal(names_each_owner(w->names, 52, '2', join_owner, words, NULL), 0);
	assert_string_equal(words, "");
	assert_int_equal(names_pardon(w->names, "js.example", 52, NULL), 0);
	assert_int_equal(names_put_record(w->names, &a, NULL), 0);
	assert_int_equal(names_pardon(w->names, "js.example", 52, NULL), 0);
	assert_int_equal(names_each_record(w->names, "js.example", 52, join, words, NULL), 0);
	assert_string_equal(words, "2a1 ");
}

static void owners_are_found_by_how_their_data_begins(void **state)
{
	static const struct {
		const char *owner, *data;
	} rows[] = { { "b", "2x" }, { "a", "2y" }, { "a", "2z" }, { "c", "3x" }, { "d", "" } };
	struct world *w = *state;
	char seen[64] = "";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct names_record r = record(rows[i].owner, rows[i].data, NAMES_THERE);

		assert_int_equal(names_put_record(w->names, &r, NULL), 0);
	}
	assert_int_equal(names_each_owner(w->names, 52, '2', join_owner, seen, NULL), 0);
	assert_string_equal(seen, "a b ");
	seen[0] = '\0';
	assert_int_equal(names_each_owner(w->names, 1, '2', join_owner, seen, NULL), 0);
	assert_string_equal(seen, "");
}

static void what_is_not_committed_did_not_happen(void **state)
{
	struct world *w = *state;
	struct names_record a = record("js.example", "a", NAMES_COMING);
	char words[64] = "";

	assert_int_equal(names_begin(w->names, NULL), 0);
	assert_int_equal(names_put_record(w->names, &a, NULL), 0);
	names_rollback(w->names);
	assert_int_equal(names_each_record(w->names, "js.example", 52, join, words, NULL), 0);
	assert_string_equal(words, "");
}

static int take_step(void *arg, const struct names_entry *e, struct err *err)
{
	char *out = arg;

	(void)err;
	sprintf(out + strlen(out), "%s %s %s %s;", e->owner, e->service, e->via, e->step);
	return 0;
}

static void an_entry_is_one_per_owner(void **state)
{
	struct world *w = *state;
	struct names_entry e = { "_1._tcp.b", "b", "1/tcp", "p.yaml", "", "p256", 9, "begun", 1,
		2 };
	char words[200] = "";
	size_t n = 9;

	assert_int_equal(names_put(w->names, &e, NULL), 0);
	e.step = "done";
	assert_int_equal(names_put(w->names, &e, NULL), 0);
	e = (struct names_entry){ "_c.a", "_c.a", "", "q.yaml", "ca", "p256", 9, "begun", 1, 2 };
	assert_int_equal(names_put(w->names, &e, NULL), 0);
	assert_int_equal(names_each(w->names, NULL, take_step, words, &n, NULL), 0);
	assert_string_equal(words, "_1._tcp.b 1/tcp p.yaml done;_c.a  q.yaml begun;");
	assert_int_equal(n, 2);
	assert_int_equal(names_remove(w->names, "_c.a", NULL), 0);
	assert_int_equal(names_each(w->names, "_c.a", take_step, words, &n, NULL), 0);
	assert_int_equal(n, 0);
}

static int take_device(void *arg, const struct fleetbook_device *d, struct err *err)
{
	char *out = arg;

	(void)err;
	sprintf(out + strlen(out), "%s %s %zu %d%s;", d->owner, d->form, d->seen.n, d->step,
		d->cut ? " cut" : "");
	return 0;
}

static void a_device_that_is_cut_off_stays_so_whatever_else_is_noted(void **state)
{
	static const uint8_t digest[FLEETBOOK_DIGEST] = { 1 };
	const struct span octets = { digest, sizeof(digest) };
	struct world *w = *state;
	struct fleetbook_device d = { .owner = "b.x",
		.form = "3 1 1",
		.serial = "",
		.terms = octets };
	struct fleetbook *b = NULL;
	char words[200] = "";
	size_t n = 0;

	assert_int_equal(fleetbook_open(w->names, &b, NULL), 0);
	assert_int_equal(fleetbook_put(b, &d, NULL), 0);
	d.owner = "a.x";
	assert_int_equal(fleetbook_put(b, &d, NULL), 0);
	assert_int_equal(fleetbook_see(b, "a.x", 3, octets, 9, NULL), 0);
	assert_int_equal(fleetbook_each(b, NULL, take_device, words, &n, NULL), 0);
	assert_string_equal(words, "a.x 3 1 1 32 3;b.x 3 1 1 0 0;");
	assert_int_equal(n, 2);
	assert_int_equal(fleetbook_cut(b, "a.x", true, 2, NULL), 0);
	d.step = 1;
	assert_int_equal(fleetbook_put(b, &d, NULL), 0);
	words[0] = '\0';
	assert_int_equal(fleetbook_each(b, "a.x", take_device, words, &n, NULL), 0);
	assert_string_equal(words, "a.x 3 1 1 0 1 cut;");
	assert_int_equal(fleetbook_cut(b, "a.x", false, 0, NULL), 0);
	words[0] = '\0';
	assert_int_equal(fleetbook_each(b, "a.x", take_device, words, &n, NULL), 0);
	assert_string_equal(words, "a.x 3 1 1 0 0;");
	fleetbook_close(b);
}

static void only_one_holds_the_lock(void **state)
{
	struct world *w = *state;
	char command[200];

	snprintf(command, sizeof(command), "flock -n '%s/names.db.lock' true", w->state);
	assert_int_equal(names_lock(w->names, NULL), 0);
	assert_int_not_equal(system(command), 0);
	names_unlock(w->names);
	assert_int_equal(system(command), 0);
}

static void the_folder_is_private(void **state)
{
	struct world *w = *state;

	struct stat st;

	assert_int_equal(stat(w->state, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(records_are_remembered_with_their_state, begin,
			end),
		cmocka_unit_test_setup_teardown(owners_are_found_by_how_their_data_begins, begin,
			end),
		cmocka_unit_test_setup_teardown(what_is_revoked_stays_so_until_it_is_pardoned,
			begin, end),
		cmocka_unit_test_setup_teardown(what_is_not_committed_did_not_happen, begin, end),
		cmocka_unit_test_setup_teardown(an_entry_is_one_per_owner, begin, end),
		cmocka_unit_test_setup_teardown(
			a_device_that_is_cut_off_stays_so_whatever_else_is_noted, begin, end),
		cmocka_unit_test_setup_teardown(only_one_holds_the_lock, begin, end),
		cmocka_unit_test_setup_teardown(the_folder_is_private, begin, end),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
