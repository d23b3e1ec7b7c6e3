/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine - the inside of struct application, shared by the files of this folder alone.
 *
 *   job      one thing to do; application_next makes a work of it, application_done ends it
 *   asking   one session whose key is being asked for, with the uplinks that wait for it
 *
 *   NEW --> ASKED --> GIVEN    ASKED: the answer will come, sooner or later
 *           |   ^              GIVEN: a job has the key, the disk has not
 *           v   |              COOLING: refused, and so are uplinks until the time is over
 *          COOLING
 */
#ifndef APPLICATION_ENGINE_H
#define APPLICATION_ENGINE_H

#include "application/application.h"
#include "application/device.h"
#include "crypto/aes.h"

enum job_kind {
	JOB_ASK,
	JOB_ADOPT,
	JOB_UPLINK,
	JOB_REFUSE, /* answer an uplink: verdict */
	JOB_COMMAND,
	JOB_COMMAND_REFUSE, /* answer a command: words */
	JOB_HAND,
	JOB_REPORT,
	JOB_REPORT_REFUSE,
	JOB_GIVE_UP, /* drop the first of the queue, with a log event: words */
};

struct job {
	struct job *next;
	enum job_kind kind;
	struct device *device;
	struct asking *asking;
	uint64_t ticket;
	uint64_t number; /* GIVE_UP: of the downlink */
	bool owed;       /* someone waits for an answer */
	enum uplink_verdict verdict;
	const char *words;
	char id[DOWNLINK_ID_MAX + 1];
	struct uplink *uplink;
	struct session *session;   /* ADOPT: the new one */
	struct downlink *downlink; /* COMMAND */
	struct application_report report;
	int64_t until_ms; /* held uplinks */
};

enum asking_state { ASKING_NEW, ASKING_ASKED, ASKING_GIVEN, ASKING_COOLING };

struct asking {
	struct asking *next;
	struct device *device;
	struct session_id session;
	uint32_t net_id, dev_addr;
	bool has_join_eui;
	uint64_t join_eui;
	enum asking_state state;
	enum uplink_verdict verdict; /* while cooling */
	int64_t until_ms;            /* cooling */
	struct job *held;            /* in order of arrival */
	unsigned held_count;
};

struct application {
	struct application_config config;
	struct device_table devices;
	struct asking *asking;
	unsigned asking_count;
	struct job *first, **last;
	unsigned jobs, open; /* all there are; those that owe an answer */
	struct job *in_hand;
	struct device *waiting;
	struct aes *aes;
	struct buf lines;
	struct session draft_session;
	struct downlink draft_downlink;
	uint8_t cipher[DOWNLINK_PAYLOAD_MAX];
	uint64_t number; /* of the last downlink */
	struct application_stats stats;
};

#endif
