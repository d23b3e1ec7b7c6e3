/* SPDX-License-Identifier: Apache-2.0 */
#include "rollover/rollover.h"

#include <stddef.h>

#define PAUSE_MAX_MS 60000
/* During a wait: to see what changes in the midst of it. */
#define GLANCE_MS 60000

#define TO(step) (1u << ROLLOVER_##step)

static const struct machine_state states[] = {
	[ROLLOVER_MAKE] = { "make", TO(SURVEY) | TO(FORGET) },
	[ROLLOVER_SURVEY] = { "survey", TO(ANNOUNCE) | TO(SWITCH) | TO(FORGET) },
	[ROLLOVER_ANNOUNCE] = { "announce", TO(SPREAD) | TO(SWITCH) | TO(WITHDRAW) },
	[ROLLOVER_SPREAD] = { "spread", TO(ANNOUNCE) | TO(SETTLE) | TO(SWITCH) | TO(WITHDRAW) },
	[ROLLOVER_SETTLE] = { "settle", TO(ANNOUNCE) | TO(SWITCH) | TO(WITHDRAW) },
	[ROLLOVER_SWITCH] = { "switch", TO(ANNOUNCE) | TO(SETTLE) | TO(SWITCH) | TO(PROVE) },
	[ROLLOVER_PROVE] = { "prove", TO(SWITCH) | TO(DRAIN) },
	[ROLLOVER_DRAIN] = { "drain", TO(SWITCH) | TO(STOCK) | TO(WITHDRAW) },
	[ROLLOVER_STOCK] = { "stock", TO(SWITCH) | TO(DRAIN) | TO(WITHDRAW) },
	[ROLLOVER_WITHDRAW] = { "withdraw", TO(DRAIN) | TO(FADE) },
	[ROLLOVER_FADE] = { "fade", TO(DRAIN) | TO(WITHDRAW) | TO(FORGET) },
	[ROLLOVER_FORGET] = { "forget", TO(DONE) },
	[ROLLOVER_DONE] = { "done", 0 },
};

static const char *const sentences[] = {
	[ROLLOVER_MAKE] = "make the next key and certificate",
	[ROLLOVER_SURVEY] = "ask every server what it serves now, and for how long it is held",
	[ROLLOVER_ANNOUNCE] = "publish current and next",
	[ROLLOVER_SPREAD] = "wait until every server serves both",
	[ROLLOVER_SETTLE] = "wait until nobody can hold the old set",
	[ROLLOVER_SWITCH] = "put the credential in place and reload the service",
	[ROLLOVER_PROVE] = "look at what the service presents",
	[ROLLOVER_DRAIN] = "wait until what began with the other key has ended",
	[ROLLOVER_STOCK] = "make a new standby key",
	[ROLLOVER_WITHDRAW] = "publish without the other key",
	[ROLLOVER_FADE] = "wait until every server serves that",
	[ROLLOVER_FORGET] = "erase the other key",
	[ROLLOVER_DONE] = "done",
};

const char *rollover_step_word(int step)
{
	return step >= 0 && step < ROLLOVER_STEPS ? states[step].name : NULL;
}

const char *rollover_step_sentence(int step)
{
	return step >= 0 && step < ROLLOVER_STEPS ? sentences[step] : NULL;
}

static void go(struct rollover *r, enum rollover_step to, int64_t now_ms)
{
	machine_go(&r->machine, to);
	r->since_ms = r->deadline_ms = now_ms;
	r->tries = 0;
}

void rollover_equip(struct rollover *r)
{
	r->machine.name = "rollover";
	r->machine.states = states;
}

/* The longest time a set may be held by someone who asked just before it changed. */
static int64_t held_ms(const struct rollover *r)
{
	return ((int64_t)r->ttl_s + r->negative_s + r->policy.margin_s) * 1000;
}

/* An open connection rests on a TLSA and ends with it: after one TTL every peer has met the
 * new credential, while going back still is one reload. */
static int64_t drain_ms(const struct rollover *r)
{
	uint32_t longer = r->policy.drain_s > r->ttl_s ? r->policy.drain_s : r->ttl_s;

	return r->emergency ? 0 : ((int64_t)longer + r->policy.margin_s) * 1000;
}

/* Words come from servers too: only what any file and any terminal can show. */
static void note(struct rollover *r, const char *why)
{
	size_t n = 0;

	for (; why && why[n] && n + 1 < sizeof(r->trouble); n++)
		r->trouble[n] = why[n] >= ' ' && why[n] <= '~' ? why[n] : '?';
	r->trouble[n] = '\0';
}

void rollover_start(struct rollover *r, const struct rollover_policy *policy, int64_t known_ms,
	int64_t now_ms)
{
	*r = (struct rollover){ .policy = *policy,
		.machine.at = known_ms ? ROLLOVER_SURVEY : ROLLOVER_MAKE,
		.keep = ROLLOVER_NEXT,
		.from_standby = known_ms != 0,
		.known_ms = known_ms,
		.since_ms = now_ms,
		.deadline_ms = now_ms };
	rollover_equip(r);
}

void rollover_resume(struct rollover *r, int64_t now_ms)
{
	/* Servers, and the service, may have changed while nobody looked. */
	if (r->machine.at == ROLLOVER_SWITCH && r->keep == ROLLOVER_NEXT && !r->emergency &&
		!r->parted)
		go(r, ROLLOVER_SETTLE, now_ms);
	else if (r->machine.at >= ROLLOVER_STOCK && r->machine.at <= ROLLOVER_FADE)
		go(r, ROLLOVER_DRAIN, now_ms);
	r->deadline_ms = now_ms;
	r->tries = 0;
}

static void expose(struct rollover *r, int64_t now_ms)
{
	r->exposed = true;
	go(r, ROLLOVER_SWITCH, now_ms);
}

bool rollover_hurry(struct rollover *r, int64_t now_ms)
{
	int at = r->machine.at;

	if (r->keep != ROLLOVER_NEXT)
		return false;
	r->emergency = true;
	if (r->drained_ms)
		r->drained_ms = now_ms;
	r->deadline_ms = now_ms;
	if (at >= ROLLOVER_SWITCH)
		return true;
	if (!r->known_ms || r->known_ms > now_ms)
		return false;
	/* What every set held has needs no asking. */
	expose(r, now_ms);
	return true;
}

bool rollover_turn(struct rollover *r, const char *why, int64_t now_ms)
{
	int at = r->machine.at;

	if (r->parted || r->emergency || at >= ROLLOVER_WITHDRAW || r->keep == ROLLOVER_CURRENT)
		return false;
	note(r, why);
	r->keep = ROLLOVER_CURRENT;
	r->broken_ms = r->drained_ms = 0;
	if (at <= ROLLOVER_SURVEY) {
		go(r, ROLLOVER_FORGET, now_ms);
		return true;
	}
	/* A resumed rollover may stand before SWITCH and yet have been there. */
	if (r->exposed) {
		go(r, ROLLOVER_SWITCH, now_ms);
		return true;
	}
	r->parted = true;
	go(r, ROLLOVER_WITHDRAW, now_ms);
	return true;
}

bool rollover_is_known(const struct rollover *r, int64_t now_ms)
{
	return r->known_ms && r->known_ms <= now_ms;
}

bool rollover_unsettle(struct rollover *r, const char *why, int64_t now_ms)
{
	if (r->machine.at != ROLLOVER_SWITCH || r->parted || r->emergency)
		return false;
	note(r, why);
	r->known_ms = r->drained_ms = 0;
	go(r, ROLLOVER_ANNOUNCE, now_ms);
	return true;
}

unsigned rollover_wanted(const struct rollover *r)
{
	unsigned both = ROLLOVER_CURRENT | ROLLOVER_NEXT;

	if (r->machine.at <= ROLLOVER_SURVEY)
		return r->known_ms ? both : ROLLOVER_CURRENT;
	if (r->machine.at < ROLLOVER_WITHDRAW)
		return both;
	if (r->keep == ROLLOVER_CURRENT)
		return r->from_standby ? both : ROLLOVER_CURRENT;
	return ROLLOVER_NEXT | (r->restocked ? ROLLOVER_STANDBY : 0);
}

unsigned rollover_banned(const struct rollover *r)
{
	unsigned all = ROLLOVER_CURRENT | ROLLOVER_NEXT | ROLLOVER_STANDBY;

	return r->machine.at >= ROLLOVER_WITHDRAW ? all & ~rollover_wanted(r) : 0;
}

unsigned rollover_unwanted(const struct rollover *r)
{
	if (r->keep == ROLLOVER_NEXT)
		return ROLLOVER_CURRENT;
	return r->from_standby ? 0 : ROLLOVER_NEXT;
}

enum rollover_task rollover_next(const struct rollover *r, int64_t now_ms)
{
	if (r->machine.at == ROLLOVER_DONE)
		return ROLLOVER_NOTHING;
	if (now_ms < r->deadline_ms)
		return ROLLOVER_WAIT;
	switch ((enum rollover_step)r->machine.at) {
	case ROLLOVER_MAKE: return ROLLOVER_MAKE_NEXT;
	case ROLLOVER_SURVEY:
	case ROLLOVER_SPREAD:
	case ROLLOVER_SETTLE:
	case ROLLOVER_FADE: return ROLLOVER_ASK;
	case ROLLOVER_ANNOUNCE:
	case ROLLOVER_WITHDRAW: return ROLLOVER_PUBLISH;
	case ROLLOVER_SWITCH: return ROLLOVER_INSTALL;
	case ROLLOVER_PROVE:
	case ROLLOVER_DRAIN: return ROLLOVER_LOOK;
	case ROLLOVER_STOCK: return ROLLOVER_MAKE_STANDBY;
	case ROLLOVER_FORGET: return ROLLOVER_ERASE;
	case ROLLOVER_DONE: break;
	}
	return ROLLOVER_NOTHING;
}

static void fail(struct rollover *r, const char *why, int64_t now_ms)
{
	int64_t pause = r->policy.pause_ms ? r->policy.pause_ms : 1000;

	for (uint32_t i = 0; i < r->tries && pause < PAUSE_MAX_MS; i++)
		pause *= 2;
	r->tries++;
	r->deadline_ms = now_ms + (pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS);
	note(r, why);
}

/* Within a pair of steps, do and look: the pause grows and the clock runs for both. */
static void within(struct rollover *r, enum rollover_step to, int64_t now_ms)
{
	int64_t since = r->since_ms;
	uint32_t tries = r->tries;

	go(r, to, now_ms);
	r->since_ms = since;
	r->tries = tries;
}

static void again(struct rollover *r, enum rollover_step from, const char *why, int64_t now_ms)
{
	within(r, from, now_ms);
	fail(r, why, now_ms);
}

static void forward(struct rollover *r, enum rollover_step to, int64_t now_ms)
{
	go(r, to, now_ms);
	if (r->keep == ROLLOVER_NEXT)
		r->trouble[0] = '\0';
}

static void remember_times(struct rollover *r, const struct rollover_outcome *o)
{
	if (o->ttl_s > r->ttl_s)
		r->ttl_s = o->ttl_s;
	if (o->negative_s > r->negative_s)
		r->negative_s = o->negative_s;
}

static int64_t glance(int64_t until_ms, int64_t now_ms)
{
	return until_ms < now_ms + GLANCE_MS ? until_ms : now_ms + GLANCE_MS;
}

static void take_survey(struct rollover *r, const struct rollover_outcome *o, int64_t now_ms)
{
	if (o->done) {
		forward(r, ROLLOVER_ANNOUNCE, now_ms);
		return;
	}
	/* Somebody took the standby out: it is a new key like any other. */
	r->known_ms = 0;
	fail(r, o->why, now_ms);
}

static void take_spread(struct rollover *r, const struct rollover_outcome *o, int64_t now_ms)
{
	if (!o->done) {
		r->known_ms = 0;
		again(r, ROLLOVER_ANNOUNCE, o->why, now_ms);
		return;
	}
	if (!r->known_ms)
		r->known_ms = now_ms + held_ms(r);
	forward(r, ROLLOVER_SETTLE, now_ms);
	r->deadline_ms = glance(r->known_ms, now_ms);
}

static void take_settle(struct rollover *r, const struct rollover_outcome *o, int64_t now_ms)
{
	if (!o->done) {
		r->known_ms = 0;
		again(r, ROLLOVER_ANNOUNCE, o->why, now_ms);
		return;
	}
	if (r->known_ms > now_ms) {
		r->deadline_ms = glance(r->known_ms, now_ms);
		return;
	}
	r->trouble[0] = '\0';
	expose(r, now_ms);
}

static void take_fade(struct rollover *r, const struct rollover_outcome *o, int64_t now_ms)
{
	if (!o->done) {
		again(r, ROLLOVER_WITHDRAW, o->why, now_ms);
		return;
	}
	/* From here known_ms speaks of the standby, for the next rollover. */
	if (r->keep == ROLLOVER_NEXT)
		r->known_ms = r->restocked ? now_ms + held_ms(r) : 0;
	forward(r, ROLLOVER_FORGET, now_ms);
}

static void take_answers(struct rollover *r, const struct rollover_outcome *o, int64_t now_ms)
{
	remember_times(r, o);
	if (r->machine.at == ROLLOVER_SURVEY)
		take_survey(r, o, now_ms);
	else if (r->machine.at == ROLLOVER_SPREAD)
		take_spread(r, o, now_ms);
	else if (r->machine.at == ROLLOVER_SETTLE)
		take_settle(r, o, now_ms);
	else
		take_fade(r, o, now_ms);
}

static void part(struct rollover *r, int64_t now_ms)
{
	r->parted = true;
	forward(r, ROLLOVER_WITHDRAW, now_ms);
}

static void leave_drain(struct rollover *r, int64_t now_ms)
{
	if (r->drained_ms > now_ms)
		r->deadline_ms = glance(r->drained_ms, now_ms);
	else if (r->policy.standby && r->keep == ROLLOVER_NEXT)
		forward(r, ROLLOVER_STOCK, now_ms);
	else
		part(r, now_ms);
}

/* Presents nothing we know: a short while may be a restart, then the old one was better. */
static void take_breakage(struct rollover *r, const char *why, int64_t now_ms)
{
	if (!r->broken_ms)
		r->broken_ms = now_ms;
	if (now_ms - r->broken_ms >= (int64_t)r->policy.broken_s * 1000 &&
		rollover_turn(r, why, now_ms))
		return;
	again(r, ROLLOVER_SWITCH, why, now_ms);
}

static void take_look(struct rollover *r, const struct rollover_outcome *o, int64_t now_ms)
{
	if (!o->done) {
		fail(r, o->why, now_ms);
		return;
	}
	if (o->presents != ROLLOVER_PRESENTS_KEPT)
		r->drained_ms = 0;
	switch (o->presents) {
	case ROLLOVER_PRESENTS_KEPT:
		r->broken_ms = 0;
		if (!r->drained_ms)
			r->drained_ms = now_ms + drain_ms(r);
		if (r->machine.at == ROLLOVER_PROVE)
			forward(r, ROLLOVER_DRAIN, now_ms);
		leave_drain(r, now_ms);
		return;
	case ROLLOVER_PRESENTS_OTHER:
		r->broken_ms = 0;
		again(r, ROLLOVER_SWITCH, o->why, now_ms);
		return;
	case ROLLOVER_PRESENTS_NONE: take_breakage(r, o->why, now_ms); return;
	}
}

void rollover_input(struct rollover *r, const struct rollover_outcome *o, int64_t now_ms)
{
	enum rollover_task task = rollover_next(r, now_ms);

	if (task == ROLLOVER_ASK) {
		take_answers(r, o, now_ms);
		return;
	}
	if (task == ROLLOVER_LOOK) {
		take_look(r, o, now_ms);
		return;
	}
	if (!o->done) {
		fail(r, o->why, now_ms);
		return;
	}
	switch (task) {
	case ROLLOVER_MAKE_NEXT: forward(r, ROLLOVER_SURVEY, now_ms); break;
	case ROLLOVER_PUBLISH:
		within(r, r->machine.at == ROLLOVER_ANNOUNCE ? ROLLOVER_SPREAD : ROLLOVER_FADE,
			now_ms);
		break;
	case ROLLOVER_INSTALL: within(r, ROLLOVER_PROVE, now_ms); break;
	case ROLLOVER_MAKE_STANDBY:
		r->restocked = true;
		part(r, now_ms);
		break;
	case ROLLOVER_ERASE: forward(r, ROLLOVER_DONE, now_ms); break;
	case ROLLOVER_WAIT:
	case ROLLOVER_ASK:
	case ROLLOVER_LOOK:
	case ROLLOVER_NOTHING: break;
	}
}

bool rollover_is_done(const struct rollover *r)
{
	return r->machine.at == ROLLOVER_DONE;
}

bool rollover_is_late(const struct rollover *r, int64_t now_ms)
{
	int64_t from = r->since_ms;

	if (r->machine.at == ROLLOVER_DONE)
		return false;
	if (r->machine.at == ROLLOVER_SETTLE && r->known_ms > from)
		from = r->known_ms;
	if (r->machine.at == ROLLOVER_DRAIN && r->drained_ms > from)
		from = r->drained_ms;
	return now_ms - from > (int64_t)r->policy.patience_s * 1000;
}
