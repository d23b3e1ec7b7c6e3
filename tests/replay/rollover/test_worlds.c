/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thousands of small worlds in fake time: servers that lag or are mute, resolvers that keep what
 * they were told, processes that end late, a tool that is killed at any point, people who change
 * their mind. In each, at every instant: whatever the service presents is in every set that any
 * relying party may hold. Then: the rollover ends, and ends right.
 */
#include "check.h"
#include "rollover/journal.h"

#include <stdio.h>
#include <string.h>

#define WORLDS   4000
#define TICK_MS  50
#define LIMIT_MS (3600 * 1000)
#define SERVERS  4
#define BACKENDS 3
#define SETS     8 /* subsets of current, next, standby */

struct server {
	unsigned serves;
	int64_t lag_ms;  /* between two transfers */
	int64_t pull_ms; /* the next one */
	int64_t mute_ms; /* does not answer us until then; others it does answer */
};

struct backend {
	unsigned presents; /* 0: nothing */
	unsigned coming;
	int64_t at_ms;
};

struct world {
	uint64_t number, seed;
	struct rollover_policy policy;
	int64_t now;
	uint32_t ttl_s, negative_s;
	unsigned primary; /* what the zone says */
	unsigned servers, backends;
	struct server server[SERVERS];
	struct backend backend[BACKENDS];
	int64_t served[SETS]; /* a server served it last; -1: never */
	unsigned keys;        /* on disk */
	bool next_is_bad;     /* the service cannot start with it */
	bool sloppy_reload;   /* says it reloaded, and did not, now and then */
	int64_t killable_ms;  /* the tool is killed now and then, until */
	int64_t turn_ms, hurry_ms;
	/* the tool */
	bool alive, turned, hurried;
	int64_t up_ms;
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

static void begin(struct world *w, uint64_t seed)
{
	bool standby, stock;
	int64_t known, hold;

	*w = (struct world){ .number = seed,
		.seed = seed * 77777 + 1,
		.now = 1000000,
		.alive = true };
	standby = dice(w, 3) == 0;
	stock = dice(w, 2) == 0;
	w->policy = (struct rollover_policy){ .margin_s = dice(w, 3),
		.drain_s = dice(w, 12),
		.broken_s = 5,
		.patience_s = 600,
		.pause_ms = 100 + dice(w, 900),
		.standby = stock };
	w->ttl_s = 1 + dice(w, 20);
	w->negative_s = dice(w, 2) ? dice(w, 6) : 0;
	w->servers = 1 + dice(w, SERVERS);
	w->backends = 1 + dice(w, BACKENDS);
	w->primary = ROLLOVER_CURRENT | (standby ? ROLLOVER_NEXT : 0);
	w->keys = w->primary;
	for (int i = 0; i < SETS; i++)
		w->served[i] = -1;
	for (unsigned i = 0; i < SERVERS; i++)
		w->server[i] = (struct server){ .serves = w->primary,
			.lag_ms = i == 0 ? 0 : (int64_t)dice(w, 30000) };
	for (unsigned i = 0; i < BACKENDS; i++)
		w->backend[i].presents = w->backend[i].coming = ROLLOVER_CURRENT;
	/* The standby came into the zone a while ago, or just now. */
	hold = (int64_t)(w->ttl_s + w->policy.margin_s) * 1000;
	known = standby ? w->now + hold - (int64_t)dice(w, 40000) : 0;
	if (standby)
		w->served[ROLLOVER_CURRENT] = known - hold;
	w->next_is_bad = dice(w, 8) == 0;
	w->sloppy_reload = dice(w, 3) == 0;
	w->killable_ms = w->now + (dice(w, 2) ? (int64_t)dice(w, 600000) : 0);
	w->turn_ms = dice(w, 6) == 0 ? w->now + (int64_t)dice(w, 120000) : -1;
	w->hurry_ms = dice(w, 6) == 0 ? w->now + (int64_t)dice(w, 60000) : -1;
	rollover_start(&w->r, &w->policy, known, w->now);
	save(w);
}

/* Old processes end at the end of what the policy allows, never later. */
static void reload(struct world *w, unsigned credential)
{
	if (w->sloppy_reload && dice(w, 4) == 0)
		return;
	for (unsigned i = 0; i < w->backends; i++) {
		uint32_t longest = w->r.emergency ? 0 : w->policy.drain_s * 1000;

		w->backend[i].coming = credential;
		w->backend[i].at_ms = w->now + (longest ? (int64_t)dice(w, longest + 1) : 0);
	}
}

static void turn_the_world(struct world *w)
{
	for (unsigned i = 0; i < w->servers; i++) {
		struct server *s = &w->server[i];

		w->served[s->serves] = w->now;
		if (w->now >= s->pull_ms) {
			s->serves = w->primary;
			s->pull_ms =
				w->now + (s->lag_ms ? (int64_t)dice(w, (uint32_t)s->lag_ms) : 0);
		}
		w->served[s->serves] = w->now;
		if (dice(w, 4000) == 0)
			s->mute_ms = w->now + (int64_t)dice(w, 60000);
	}
	for (unsigned i = 0; i < w->backends; i++)
		if (w->now >= w->backend[i].at_ms)
			w->backend[i].presents =
				w->next_is_bad && w->backend[i].coming == ROLLOVER_NEXT
				? 0
				: w->backend[i].coming;
}

static void nobody_is_locked_out(const struct world *w)
{
	int64_t hold = (int64_t)(w->ttl_s + w->policy.margin_s) * 1000;

	for (unsigned set = 0; set < SETS; set++) {
		if (w->served[set] < 0 || w->served[set] + hold <= w->now)
			continue;
		for (unsigned i = 0; i < w->backends; i++)
			if (w->backend[i].presents && !(w->backend[i].presents & set))
				fail_msg("world %d at %lld ms, step %s, keep %d%s: presents %u, "
					 "some hold %u",
					(int)w->number, (long long)w->now,
					rollover_step_word(w->r.machine.at), w->r.keep,
					w->r.emergency ? ", emergency" : "", w->backend[i].presents,
					set);
	}
}

static void ask(struct world *w, struct rollover_outcome *o)
{
	unsigned wanted = rollover_wanted(&w->r), banned = rollover_banned(&w->r);

	o->done = true;
	for (unsigned i = 0; i < w->servers; i++) {
		const struct server *s = &w->server[i];

		if (s->mute_ms > w->now) {
			o->done = false;
			continue;
		}
		o->ttl_s = w->ttl_s;
		o->negative_s = w->negative_s;
		if ((s->serves & wanted) != wanted || (s->serves & banned) != 0)
			o->done = false;
	}
	o->why = "a server lags";
}

static void look(struct world *w, struct rollover_outcome *o)
{
	unsigned seen = w->backend[dice(w, w->backends)].presents;

	o->done = dice(w, 20) != 0;
	o->why = "the service presents something else";
	o->presents = seen == (unsigned)w->r.keep ? ROLLOVER_PRESENTS_KEPT
		: seen == 0                       ? ROLLOVER_PRESENTS_NONE
						  : ROLLOVER_PRESENTS_OTHER;
}

static void erase(struct world *w)
{
	unsigned key = rollover_unwanted(&w->r);

	for (unsigned i = 0; i < w->backends; i++)
		assert_true(!(w->backend[i].presents & key) || w->r.emergency);
	assert_int_equal(w->primary & key, 0);
	w->keys &= ~key;
}

/* The deed itself; what the tool learns of it comes out. */
static struct rollover_outcome perform(struct world *w, enum rollover_task task)
{
	struct rollover_outcome o = { .done = true, .why = "tried in vain" };

	switch (task) {
	case ROLLOVER_MAKE_NEXT: w->keys |= ROLLOVER_NEXT; break;
	case ROLLOVER_MAKE_STANDBY: w->keys |= ROLLOVER_STANDBY; break;
	case ROLLOVER_ASK: ask(w, &o); break;
	case ROLLOVER_PUBLISH:
		o.done = dice(w, 5) != 0;
		assert_int_equal(rollover_wanted(&w->r) & ~w->keys, 0);
		if (o.done || dice(w, 2)) /* the answer may be lost, not the change */
			w->primary = rollover_wanted(&w->r);
		break;
	case ROLLOVER_INSTALL:
		assert_true(w->keys & w->r.keep);
		o.done = dice(w, 10) != 0;
		if (o.done || dice(w, 2))
			reload(w, w->r.keep);
		break;
	case ROLLOVER_LOOK: look(w, &o); break;
	case ROLLOVER_ERASE: erase(w); break;
	case ROLLOVER_WAIT:
	case ROLLOVER_NOTHING: break;
	}
	return o;
}

static bool killed(struct world *w)
{
	if (w->now >= w->killable_ms || dice(w, 12) != 0)
		return false;
	w->alive = false;
	w->up_ms = w->now + (int64_t)dice(w, 30000);
	return true;
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

static void people(struct world *w)
{
	if (w->turn_ms >= 0 && w->now >= w->turn_ms && !w->turned) {
		w->turned = true;
		rollover_turn(&w->r, "an operator turned it round", w->now);
		save(w);
	}
	if (w->hurry_ms >= 0 && w->now >= w->hurry_ms && !w->hurried) {
		w->hurried = true;
		for (unsigned i = 0; i < w->backends; i++)
			w->backend[i].at_ms = w->now;
		rollover_hurry(&w->r, w->now);
		save(w);
	}
}

static void run_the_tool(struct world *w)
{
	enum rollover_task task;
	struct rollover_outcome o;

	if (!w->alive && w->now >= w->up_ms)
		start_again(w);
	if (!w->alive)
		return;
	people(w);
	task = rollover_next(&w->r, w->now);
	if (task == ROLLOVER_WAIT || task == ROLLOVER_NOTHING || killed(w))
		return;
	o = perform(w, task);
	if (killed(w))
		return;
	rollover_input(&w->r, &o, w->now);
	save(w);
	killed(w);
}

static void ends_right(struct world *w)
{
	unsigned keep = w->r.keep, other = keep ^ 3;

	assert_true(w->keys & keep);
	assert_true(w->primary & keep);
	if (w->r.from_standby && keep == ROLLOVER_CURRENT)
		assert_int_equal(w->primary, 3);
	else
		assert_int_equal((w->keys | w->primary) & other, 0);
	assert_int_equal(w->policy.standby && keep == ROLLOVER_NEXT,
		(w->primary & ROLLOVER_STANDBY) != 0);
	if (w->next_is_bad && !w->r.emergency)
		assert_int_equal(keep, ROLLOVER_CURRENT);
	if (!w->next_is_bad && w->turn_ms < 0)
		assert_int_equal(keep, ROLLOVER_NEXT);
}

static void run_world(uint64_t seed, unsigned *kept)
{
	struct world w;
	int64_t end;

	begin(&w, seed);
	end = w.now + LIMIT_MS;
	for (; w.now < end && !(w.alive && rollover_is_done(&w.r)); w.now += TICK_MS) {
		turn_the_world(&w);
		run_the_tool(&w);
		nobody_is_locked_out(&w);
	}
	if (w.next_is_bad && w.r.emergency)
		assert_false(rollover_is_done(&w.r)); /* it tries on; people have been told */
	else if (!rollover_is_done(&w.r))
		fail_msg("world %llu stays at %s: %s", (unsigned long long)seed,
			rollover_step_word(w.r.machine.at), w.r.trouble);
	else
		ends_right(&w);
	kept[w.r.keep == ROLLOVER_NEXT]++;
	for (int64_t until = w.now + 120000; w.now < until; w.now += TICK_MS) {
		turn_the_world(&w);
		nobody_is_locked_out(&w);
	}
	buf_done(&w.disk);
}

static void nobody_is_locked_out_in_any_world(void **state)
{
	unsigned kept[2] = { 0, 0 };

	(void)state;
	for (uint64_t seed = 1; seed <= WORLDS; seed++)
		run_world(seed, kept);
	/* Both ends were seen, often. */
	assert_true(kept[0] > WORLDS / 20 && kept[1] > WORLDS / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(nobody_is_locked_out_in_any_world) };

	return cmocka_run_group_tests_name("rollover/worlds", tests, NULL, NULL);
}
