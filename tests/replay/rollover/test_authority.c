/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An authority that several owners and many leaves rest on, in fake time: each owner has servers
 * that lag, leaves are issued again one by one and take their new chain late, the tool is killed
 * between any two of them, an owner comes while it is under way, people turn round. At every
 * instant: the authority of what a leaf presents is in every set of its owner that anybody may
 * hold.
 */
#include "check.h"
#include "rollover/journal.h"

#include <stdio.h>

#define WORLDS   3000
#define TICK_MS  50
#define LIMIT_MS (3600 * 1000)
#define OWNERS   4
#define LEAVES   3 /* of each owner */
#define SERVERS  2
#define SETS     4 /* subsets of current and next */

struct server {
	unsigned serves;
	int64_t lag_ms, pull_ms;
};

struct leaf {
	unsigned file; /* who issued what lies in its files */
	unsigned presents, coming;
	int64_t at_ms;
};

struct owner {
	bool there;
	unsigned primary;
	struct server server[SERVERS];
	struct leaf leaf[LEAVES];
	int64_t served[SETS]; /* a server served it last; -1: never */
};

struct world {
	uint64_t number, seed;
	int64_t now, up_ms, comes_ms, turn_ms, killable_ms;
	uint32_t ttl_s;
	unsigned owners, issues; /* the authority ca.pem leads to */
	struct owner owner[OWNERS];
	bool alive, turned, unsettled;
	struct rollover_policy policy;
	struct rollover r;
	struct buf disk;
};

static uint32_t dice(struct world *w, uint32_t n)
{
	w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(w->seed >> 33) % n;
}

static void save(struct world *w)
{
	struct writer out;

	buf_done(&w->disk);
	out = writer_into(&w->disk);
	journal_write(&w->r, NULL, &out);
	assert_true(writer_ok(&out));
}

/* Enrolled with whoever issues now: its record, and its leaves. */
static void put_owner(struct world *w, struct owner *o)
{
	*o = (struct owner){ .there = true, .primary = w->issues };
	for (int i = 0; i < SETS; i++)
		o->served[i] = -1;
	for (int i = 0; i < SERVERS; i++)
		o->server[i] = (struct server){ .serves = w->issues,
			.lag_ms = i ? (int64_t)dice(w, 20000) : 0 };
	for (int i = 0; i < LEAVES; i++)
		o->leaf[i] = (struct leaf){ .file = w->issues,
			.presents = w->issues,
			.coming = w->issues };
}

static void begin(struct world *w, uint64_t seed)
{
	*w = (struct world){ .number = seed,
		.seed = seed * 77777 + 5,
		.now = 1000000,
		.alive = true,
		.issues = ROLLOVER_CURRENT };
	w->policy = (struct rollover_policy){ .margin_s = dice(w, 3),
		.drain_s = dice(w, 10),
		.broken_s = 5,
		.patience_s = 600,
		.pause_ms = 100 + dice(w, 900) };
	w->ttl_s = 1 + dice(w, 15);
	w->owners = 1 + dice(w, OWNERS - 1);
	for (unsigned i = 0; i < w->owners; i++)
		put_owner(w, &w->owner[i]);
	w->comes_ms = w->now + (int64_t)dice(w, 90000);
	w->turn_ms = dice(w, 4) == 0 ? w->now + (int64_t)dice(w, 90000) : -1;
	w->killable_ms = w->now + (dice(w, 2) ? (int64_t)dice(w, 600000) : 0);
	rollover_start(&w->r, &w->policy, 0, w->now);
	save(w);
}

static void turn_owner(struct world *w, struct owner *o)
{
	for (int i = 0; i < SERVERS; i++) {
		struct server *s = &o->server[i];

		o->served[s->serves] = w->now;
		if (w->now >= s->pull_ms) {
			s->serves = o->primary;
			s->pull_ms =
				w->now + (s->lag_ms ? (int64_t)dice(w, (uint32_t)s->lag_ms) : 0);
		}
		o->served[s->serves] = w->now;
	}
	for (int i = 0; i < LEAVES; i++)
		if (w->now >= o->leaf[i].at_ms)
			o->leaf[i].presents = o->leaf[i].coming;
}

static void turn_the_world(struct world *w)
{
	if (w->owners < OWNERS && w->now >= w->comes_ms)
		put_owner(w, &w->owner[w->owners++]);
	for (unsigned i = 0; i < w->owners; i++)
		turn_owner(w, &w->owner[i]);
}

static void nobody_is_locked_out(const struct world *w)
{
	int64_t hold = (int64_t)(w->ttl_s + w->policy.margin_s) * 1000;

	for (unsigned n = 0; n < w->owners * SETS; n++) {
		const struct owner *o = &w->owner[n / SETS];
		unsigned set = n % SETS;

		if (o->served[set] < 0 || o->served[set] + hold <= w->now)
			continue;
		for (int i = 0; i < LEAVES; i++)
			if (!(o->leaf[i].presents & set))
				fail_msg(
					"world %d at %lld ms, step %s, keep %d: a leaf of owner %u "
					"presents %u, some hold %u",
					(int)w->number, (long long)w->now,
					rollover_step_word(w->r.machine.at), w->r.keep, n / SETS,
					o->leaf[i].presents, set);
	}
}

static bool dies(struct world *w)
{
	if (w->now >= w->killable_ms || dice(w, 15) != 0)
		return false;
	w->alive = false;
	w->up_ms = w->now + (int64_t)dice(w, 20000);
	return true;
}

static void ask(const struct world *w, struct rollover_outcome *out)
{
	unsigned wanted = rollover_wanted(&w->r), banned = rollover_banned(&w->r);

	out->ttl_s = w->ttl_s;
	for (unsigned i = 0; i < w->owners; i++)
		for (int k = 0; k < SERVERS; k++) {
			unsigned serves = w->owner[i].server[k].serves;

			out->done = out->done && (serves & wanted) == wanted && !(serves & banned);
		}
	out->why = "a server lags";
}

/* Owner by owner: it may die between two. */
static void publish(struct world *w)
{
	for (unsigned i = 0; i < w->owners && w->alive; i++) {
		w->owner[i].primary = rollover_wanted(&w->r);
		dies(w);
	}
}

static void switch_leaf(struct world *w, struct leaf *l)
{
	uint32_t longest = w->policy.drain_s * 1000;

	l->file = l->coming = w->r.keep;
	l->at_ms = w->now + (longest ? (int64_t)dice(w, longest + 1) : 0);
}

static void install(struct world *w, struct rollover_outcome *out)
{
	for (unsigned i = 0; i < w->owners; i++) {
		if (w->owner[i].primary & w->r.keep && rollover_is_known(&w->r, w->now))
			continue;
		assert_true(rollover_unsettle(&w->r, "an owner came", w->now));
		w->unsettled = true;
		out->done = false;
		return;
	}
	w->issues = w->r.keep;
	for (unsigned i = 0; i < w->owners; i++)
		for (int k = 0; k < LEAVES && w->alive; k++)
			if (w->owner[i].leaf[k].file != w->r.keep) {
				switch_leaf(w, &w->owner[i].leaf[k]);
				dies(w);
			}
}

static void look(const struct world *w, struct rollover_outcome *out)
{
	out->presents = ROLLOVER_PRESENTS_KEPT;
	out->why = "one presents the other still";
	for (unsigned i = 0; i < w->owners; i++)
		for (int k = 0; k < LEAVES; k++)
			if (w->owner[i].leaf[k].file != w->r.keep)
				out->presents = ROLLOVER_PRESENTS_OTHER;
}

static struct rollover_outcome perform(struct world *w, enum rollover_task task)
{
	struct rollover_outcome o = { .done = true, .why = "in vain" };

	if (task == ROLLOVER_ASK)
		ask(w, &o);
	else if (task == ROLLOVER_PUBLISH)
		publish(w);
	else if (task == ROLLOVER_INSTALL)
		install(w, &o);
	else if (task == ROLLOVER_LOOK)
		look(w, &o);
	return o;
}

static void start_again(struct world *w)
{
	struct doc *root = NULL;

	assert_int_equal(doc_read(buf_span(&w->disk), &root, NULL), 0);
	assert_int_equal(journal_read(root, &w->policy, &w->r, NULL), 0);
	doc_free(root);
	rollover_resume(&w->r, w->now);
	save(w);
	w->alive = true;
}

static void run_the_tool(struct world *w)
{
	enum rollover_task task;
	struct rollover_outcome o;

	if (!w->alive && w->now >= w->up_ms)
		start_again(w);
	if (!w->alive)
		return;
	if (w->turn_ms >= 0 && w->now >= w->turn_ms && !w->turned) {
		w->turned = true;
		rollover_turn(&w->r, "an operator turned it round", w->now);
		save(w);
	}
	task = rollover_next(&w->r, w->now);
	if (task == ROLLOVER_WAIT || task == ROLLOVER_NOTHING || dies(w))
		return;
	o = perform(w, task);
	if (!w->alive)
		return;
	rollover_input(&w->r, &o, w->now);
	save(w);
	dies(w);
}

static void ends_right(const struct world *w)
{
	for (unsigned i = 0; i < w->owners; i++) {
		/* One that came after the last question is asked for by the next check. */
		assert_true(w->owner[i].primary & w->r.keep);
		for (int k = 0; k < LEAVES; k++)
			assert_int_equal(w->owner[i].leaf[k].file, w->r.keep);
	}
	assert_true(!w->r.exposed || w->issues == (unsigned)w->r.keep);
}

static void all_leaves_are_let_in_in_any_world(void **state)
{
	unsigned kept[2] = { 0, 0 }, unsettled = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= WORLDS; seed++) {
		struct world w;
		int64_t end;

		begin(&w, seed);
		end = w.now + LIMIT_MS;
		for (; w.now < end && !(w.alive && rollover_is_done(&w.r)); w.now += TICK_MS) {
			turn_the_world(&w);
			run_the_tool(&w);
			nobody_is_locked_out(&w);
		}
		if (!rollover_is_done(&w.r))
			fail_msg("world %llu stays at %s: %s", (unsigned long long)seed,
				rollover_step_word(w.r.machine.at), w.r.trouble);
		ends_right(&w);
		kept[w.r.keep == ROLLOVER_NEXT]++;
		unsettled += w.unsettled;
		for (int64_t until = w.now + 60000; w.now < until; w.now += TICK_MS) {
			turn_the_world(&w);
			nobody_is_locked_out(&w);
		}
		buf_done(&w.disk);
	}
	assert_true(kept[0] > WORLDS / 30 && kept[1] > WORLDS / 4 && unsettled > 10);
}

static void an_owner_that_came_meanwhile_is_announced_first(void **state)
{
	const struct rollover_policy policy = { .margin_s = 1, .pause_ms = 100 };
	struct rollover r;

	(void)state;
	rollover_start(&r, &policy, 0, 1000);
	assert_false(rollover_unsettle(&r, "an owner came", 1000));
	r.machine.at = ROLLOVER_SWITCH;
	r.known_ms = 1001;
	assert_false(rollover_is_known(&r, 1000));
	assert_true(rollover_is_known(&r, 1001));
	assert_true(rollover_unsettle(&r, "an owner came", 1000));
	assert_int_equal(r.machine.at, ROLLOVER_ANNOUNCE);
	assert_int_equal(r.known_ms, 0);
	assert_false(rollover_is_known(&r, 1001));
	assert_string_equal(r.trouble, "an owner came");
	r.machine.at = ROLLOVER_SWITCH;
	r.emergency = true;
	assert_false(rollover_unsettle(&r, "too late", 1000));
	r.emergency = false;
	r.parted = true;
	assert_false(rollover_unsettle(&r, "too late", 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(an_owner_that_came_meanwhile_is_announced_first),
		TEST(all_leaves_are_let_in_in_any_world) };

	return cmocka_run_group_tests_name("rollover/authority", tests, NULL, NULL);
}
