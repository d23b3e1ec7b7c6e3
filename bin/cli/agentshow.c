/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/agent.h"
#include "cli/roll.h"

static bool is_late(const struct agent_name *a, int64_t now_ms)
{
	return a->file.under_way && rollover_is_late(&a->file.rollover, now_ms);
}

static void show_one(const struct agent_name *a, int64_t now_ms, struct buf *out)
{
	char moment[ROLL_MOMENT_MAX];
	const struct rollover *r = &a->file.rollover;

	buf_printf(out, "%-40s ", a->name);
	if (a->file.under_way) {
		roll_moment(roll_until(r), moment);
		buf_printf(out, "%s  %s, until %s  %s\n", is_late(a, now_ms) ? "LATE" : "rolling",
			rollover_step_word(r->machine.at), moment, r->trouble);
	} else if (a->failures) {
		buf_printf(out, "FAILING  %u times  %s\n", a->failures, a->words);
	} else if (a->busy_ms) {
		buf_text(out, "busy  another process is at it\n");
	} else if (a->unfinished) {
		buf_text(out, "enrolling\n");
	} else {
		roll_moment(a->checked_ms, moment);
		buf_printf(out, "fine  checked %s", moment);
		if (a->kind == AGENT_FLEET) {
			buf_printf(out, ", %zu devices\n", a->devices);
			return;
		}
		roll_moment(a->ends_ms, moment);
		buf_printf(out, ", %s until %s  %s\n",
			a->kind == AGENT_CRL ? "list" : "certificate", moment, a->words);
	}
}

void agent_show(const struct agent_names *n, int64_t now_ms, struct buf *out)
{
	char moment[ROLL_MOMENT_MAX];
	size_t rolling = 0, late = 0, failing = 0;

	for (size_t i = 0; i < n->count; i++) {
		rolling += n->name[i]->file.under_way;
		late += is_late(n->name[i], now_ms);
		failing += n->name[i]->failures > 0;
	}
	roll_moment(now_ms, moment);
	buf_printf(out, "%s  %zu names: %zu rolling, %zu late, %zu failing\n\n", moment, n->count,
		rolling, late, failing);
	for (size_t i = 0; i < n->count; i++)
		show_one(n->name[i], now_ms, out);
}

/* A name in a label: domain names in text have no quote and no line end, but may have a
 * backslash, which is doubled. */
static void put_label(const char *metric, const char *name, struct buf *out)
{
	buf_printf(out, "%s{name=\"", metric);
	for (; *name; name++)
		buf_printf(out, *name == '\\' || *name == '"' ? "\\%c" : "%c", *name);
	buf_text(out, "\"} ");
}

void agent_measure(const struct agent_names *n, int64_t now_ms, struct buf *out)
{
	static const struct {
		const char *name, *type, *help;
	} metrics[] = {
		{ "sardane_name_failures", "gauge", "failures since the last success" },
		{ "sardane_rollover_late", "gauge", "1: a step takes longer than it may" },
		{ "sardane_rollover_step", "gauge", "step of the rollover under way, 0: none" },
		{ "sardane_rollovers_total", "counter", "rollovers that ended" },
		{ "sardane_checked_seconds", "gauge", "when it was last found good, or put right" },
		{ "sardane_certificate_end_seconds", "gauge",
			"when the certificate, or the list, ends" },
	};

	buf_printf(out,
		"# HELP sardane_agent_seconds when the agent last looked\n"
		"# TYPE sardane_agent_seconds gauge\nsardane_agent_seconds %lld\n",
		(long long)(now_ms / 1000));
	for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
		buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metrics[m].name, metrics[m].help,
			metrics[m].name, metrics[m].type);
		for (size_t i = 0; i < n->count; i++) {
			const struct agent_name *a = n->name[i];
			const long long value[] = { a->failures, is_late(a, now_ms),
				a->file.under_way ? a->file.rollover.machine.at + 1 : 0,
				a->file.done, a->checked_ms / 1000, a->ends_ms / 1000 };

			put_label(metrics[m].name, a->name, out);
			buf_printf(out, "%lld\n", value[m]);
		}
	}
}
