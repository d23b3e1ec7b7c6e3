/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command - the table of subcommands: "sardane ca init" is the row { "ca", "init", ... }.
 *
 *   Adding one  a file bin/cli/<name>.c, its prototype below, its row in command.c, its man
 *               page man/sardane-<name>.1.scd (scripts/check-man compares it with --help).
 *   Exit        0 done or yes; 1 no (no match, refused); 2 bad input or a failure, with one
 *               line "sardane ca init: thing: reason" on standard error.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

struct command {
	const char *name;
	const char *verb;    /* NULL: the command has no verbs */
	const char *summary; /* one line for "sardane --help" */
	const char *help;    /* what --help prints, whole; begins with "usage: sardane ..." */
	int (*run)(const struct command *self, int argc,
		char **argv); /* argv[0] is the last word */
};

extern const struct command command_table[]; /* ended by name NULL */

/* Prints "sardane ca init: <words>" and returns 2. */
int command_fail(const struct command *self, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* True, after printing, when argv asks for help: every run calls it first. */
int command_helped(const struct command *self, int argc, char **argv);

/* The subcommands, in the order of the table. */
int ca_init(const struct command *self, int argc, char **argv);
int ca_intermediate(const struct command *self, int argc, char **argv);
int ca_show(const struct command *self, int argc, char **argv);
int ca_crl(const struct command *self, int argc, char **argv);
int cert_issue(const struct command *self, int argc, char **argv);
int cert_request(const struct command *self, int argc, char **argv);
int cert_sign(const struct command *self, int argc, char **argv);
int cert_list(const struct command *self, int argc, char **argv);
int cert_show(const struct command *self, int argc, char **argv);
int cert_renew(const struct command *self, int argc, char **argv);
int cert_revoke(const struct command *self, int argc, char **argv);
int cfssl_gencert(const struct command *self, int argc, char **argv);
int cfssl_genkey(const struct command *self, int argc, char **argv);
int cfssl_sign(const struct command *self, int argc, char **argv);
int cfssl_json(const struct command *self, int argc, char **argv);
int audit_run_verify(const struct command *self, int argc, char **argv);
int audit_run_show(const struct command *self, int argc, char **argv);
int tlsa_generate(const struct command *self, int argc, char **argv);
int tlsa_verify(const struct command *self, int argc, char **argv);
int zone_init(const struct command *self, int argc, char **argv);
int zone_ds(const struct command *self, int argc, char **argv);
int zone_check(const struct command *self, int argc, char **argv);
int enroll_run(const struct command *self, int argc, char **argv);
int names_list_run(const struct command *self, int argc, char **argv);
int names_show_run(const struct command *self, int argc, char **argv);
int names_remove_run(const struct command *self, int argc, char **argv);
int fleets_list_run(const struct command *self, int argc, char **argv);
int fleets_forget_run(const struct command *self, int argc, char **argv);
int publish_run(const struct command *self, int argc, char **argv);
int unpublish_run(const struct command *self, int argc, char **argv);
int simulate(const struct command *self, int argc, char **argv);
int downlink(const struct command *self, int argc, char **argv);
int device_add(const struct command *self, int argc, char **argv);
int device_import(const struct command *self, int argc, char **argv);
int device_list(const struct command *self, int argc, char **argv);
int device_show(const struct command *self, int argc, char **argv);
int device_remove(const struct command *self, int argc, char **argv);
int device_flush_nonces(const struct command *self, int argc, char **argv);
int check_run(const struct command *self, int argc, char **argv);
int trace_run(const struct command *self, int argc, char **argv);
int connect_run(const struct command *self, int argc, char **argv);
int agent_run(const struct command *self, int argc, char **argv);
int revoke_run(const struct command *self, int argc, char **argv);
int top_run(const struct command *self, int argc, char **argv);
int rollover_run(const struct command *self, int argc, char **argv);
int lab_up(const struct command *self, int argc, char **argv);
int lab_status(const struct command *self, int argc, char **argv);
int lab_publish(const struct command *self, int argc, char **argv);
int lab_withdraw(const struct command *self, int argc, char **argv);
int lab_down(const struct command *self, int argc, char **argv);

/* What their --help prints. */
extern const char ca_init_help[];
extern const char ca_intermediate_help[];
extern const char ca_show_help[];
extern const char ca_crl_help[];
extern const char cert_issue_help[];
extern const char cert_request_help[];
extern const char cert_sign_help[];
extern const char cert_list_help[];
extern const char cert_show_help[];
extern const char cert_renew_help[];
extern const char cert_revoke_help[];
extern const char cfssl_gencert_help[];
extern const char cfssl_genkey_help[];
extern const char cfssl_sign_help[];
extern const char cfssl_json_help[];
extern const char audit_verify_help[];
extern const char audit_show_help[];
extern const char tlsa_generate_help[];
extern const char tlsa_verify_help[];
extern const char zone_init_help[];
extern const char zone_ds_help[];
extern const char zone_check_help[];
extern const char enroll_help[];
extern const char names_list_help[];
extern const char names_show_help[];
extern const char names_remove_help[];
extern const char fleets_list_help[];
extern const char fleets_forget_help[];
extern const char publish_help[];
extern const char unpublish_help[];
extern const char simulate_help[];
extern const char downlink_help[];
extern const char device_add_help[];
extern const char device_import_help[];
extern const char device_list_help[];
extern const char device_show_help[];
extern const char device_remove_help[];
extern const char device_flush_nonces_help[];
extern const char check_help[];
extern const char trace_help[];
extern const char connect_help[];
extern const char agent_help[];
extern const char revoke_help[];
extern const char rollover_help[];
extern const char top_help[];
extern const char lab_up_help[];
extern const char lab_status_help[];
extern const char lab_publish_help[];
extern const char lab_withdraw_help[];
extern const char lab_down_help[];

#endif
