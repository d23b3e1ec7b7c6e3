/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device - what the subcommands "sardane device ..." share: which database, which device.
 *
 *   --db FILE                    the Join Server's database
 *   --config FILE                or its configuration, which names it
 *   --root-key-kek-file FILE     the KEK its keys are wrapped under, unless --config says it
 *
 *   All of them work while sardane-joind runs.
 */
#ifndef CLI_DEVICE_H
#define CLI_DEVICE_H

#include "cli/option.h"
#include "store/devices.h"

#define DEVICE_OPTIONS                                                                      \
	{ "db", required_argument, NULL, 'd' }, { "config", required_argument, NULL, 'c' }, \
	{                                                                                   \
		"root-key-kek-file", required_argument, NULL, 'k'                           \
	}

#define DEVICE_OPTIONS_HELP                                                         \
	"  --db FILE                  the Join Server's database\n"                 \
	"  --config FILE              or its configuration file, which names the\n" \
	"                             database and the KEK\n"                       \
	"  --root-key-kek-file FILE   the KEK the database's keys are wrapped under\n"

struct device_database {
	const char *db, *config, *kek_file;
};

/* Takes one of DEVICE_OPTIONS; false when c is another. */
bool device_option(struct device_database *from, int c, const char *value);
/* create: the file may be new. 0, or 2 after saying why. */
int device_open(const struct command *self, const struct device_database *from, bool create,
	struct devices **out);

/* 0, or 2 after saying why. */
int device_read_eui(const struct command *self, const char *what, const char *text, uint64_t *out);

/* One device from words, for the command line and the lines of a file alike. */
enum device_word {
	DEVICE_DEV_EUI,
	DEVICE_JOIN_EUI,
	DEVICE_VERSION,
	DEVICE_NAME,
	DEVICE_APP_KEY,
	DEVICE_NWK_KEY,
	DEVICE_NET_ID,
	DEVICE_APPLICATION_SERVER,
	DEVICE_AS_ID,
	DEVICE_NS_KEK_LABEL,
	DEVICE_AS_KEK_LABEL,
	DEVICE_NONCES,
	DEVICE_WORDS,
};

/* "dev_eui": the column in a file; with - for _ the option. */
const char *device_word_name(enum device_word word);
int device_word_find(const char *column); /* an enum device_word, or -1 */
/* Sets one word; an empty one is as if it were not there. */
int device_word_set(struct device *d, enum device_word word, const char *text, struct err *err);
/* A device with nothing set: no nonce used. */
void device_begin(struct device *d);
/* After the last word: settles the keys and checks that all is there that must be. */
int device_end(struct device *d, struct err *err);

/* Prints one device; keys only when show_keys. */
void device_print(const struct device *d, bool show_keys);

#endif
