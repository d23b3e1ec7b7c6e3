/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyoption - the options about passwords that every command with keys shares.
 *
 *   --password-file FILE       of an encrypted key that is read, or the PIN of a token; else
 *                              SARDANE_PASSWORD_FILE in the environment; else a question on the
 *                              terminal, when there is one
 *   --encrypt                  a new key is written encrypted; its password is asked
 *   --new-password-file FILE   the same, and the password is in the file
 *
 *   Ownership  borrows the words of the command line.
 */
#ifndef CLI_KEYOPTION_H
#define CLI_KEYOPTION_H

#include "cli/option.h"
#include "pki/password.h"

enum { KEYOPTION_PASSWORD = 900, KEYOPTION_ENCRYPT, KEYOPTION_NEW_PASSWORD };

#define KEYOPTION_READ                                                       \
	{                                                                    \
		"password-file", required_argument, NULL, KEYOPTION_PASSWORD \
	}
#define KEYOPTION_WRITE                                                              \
	{ "encrypt", no_argument, NULL, KEYOPTION_ENCRYPT },                         \
	{                                                                            \
		"new-password-file", required_argument, NULL, KEYOPTION_NEW_PASSWORD \
	}

#define KEYOPTION_READ_HELP \
	"  --password-file F  password of the authority's key, or PIN of its token\n"
#define KEYOPTION_WRITE_HELP                                                        \
	"  --encrypt          write the new key encrypted; asks for the password\n" \
	"  --new-password-file F   the same; the password is in F\n"

struct keyoption {
	struct password read, write;
	bool encrypt;
};

/* Takes one of the options; false when c is another. */
bool keyoption_take(struct keyoption *k, int c);

/* After the last option: where passwords come from. */
const struct password *keyoption_read(struct keyoption *k);
const struct password *keyoption_write(struct keyoption *k); /* NULL: in clear */

#endif
