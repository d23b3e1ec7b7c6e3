/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct command command_table[] = {
	/* rows, in the order "sardane --help" shows them */
	{ "ca", "init", "make a root authority", ca_init_help, ca_init },
	{ "ca", "intermediate", "make an authority below another", ca_intermediate_help,
		ca_intermediate },
	{ "ca", "show", "print what an authority is and has issued", ca_show_help, ca_show },
	{ "ca", "crl", "sign the list of what it has revoked", ca_crl_help, ca_crl },
	{ "cert", "issue", "issue a certificate", cert_issue_help, cert_issue },
	{ "cert", "request", "make a key and a request (PKCS#10)", cert_request_help,
		cert_request },
	{ "cert", "sign", "issue a certificate for a request", cert_sign_help, cert_sign },
	{ "cert", "list", "list what an authority has issued", cert_list_help, cert_list },
	{ "cert", "show", "print one certificate of the list", cert_show_help, cert_show },
	{ "cert", "renew", "issue a certificate again", cert_renew_help, cert_renew },
	{ "cert", "revoke", "take a certificate back", cert_revoke_help, cert_revoke },
	{ "cfssl", "gencert", "what cfssl gencert does, from its files", cfssl_gencert_help,
		cfssl_gencert },
	{ "cfssl", "genkey", "what cfssl genkey does", cfssl_genkey_help, cfssl_genkey },
	{ "cfssl", "sign", "what cfssl sign does", cfssl_sign_help, cfssl_sign },
	{ "cfssl", "json", "what cfssljson does", cfssl_json_help, cfssl_json },
	{ "audit", "verify", "prove that the log of what was done is whole", audit_verify_help,
		audit_run_verify },
	{ "audit", "show", "print what was done", audit_show_help, audit_run_show },
	{ "tlsa", "generate", "print the TLSA record of a certificate or key", tlsa_generate_help,
		tlsa_generate },
	{ "tlsa", "verify", "decide offline whether records prove a chain", tlsa_verify_help,
		tlsa_verify },
	{ "zone", "init", "write a starting zone, and how Knot or BIND shall sign it",
		zone_init_help, zone_init },
	{ "zone", "ds", "print what the parent of a zone must be told", zone_ds_help, zone_ds },
	{ "zone", "check", "find what in a zone would break us, or soon will", zone_check_help,
		zone_check },
	{ "enroll", NULL, "give a name its key, certificate and record, in one transaction",
		enroll_help, enroll_run },
	{ "names", "list", "list the enrolled names", names_list_help, names_list_run },
	{ "names", "show", "print what is remembered of one", names_show_help, names_show_run },
	{ "names", "remove", "undo an enrolment", names_remove_help, names_remove_run },
	{ "fleets", "list", "list the lists of devices that the agent looks after",
		fleets_list_help, fleets_list_run },
	{ "fleets", "forget", "let it look after one no more", fleets_forget_help,
		fleets_forget_run },
	{ "publish", NULL, "publish TLSA records, and see that every server has them", publish_help,
		publish_run },
	{ "unpublish", NULL, "remove those we published", unpublish_help, unpublish_run },
	{ "rollover", NULL, "put a new key in the place of a name's, locking nobody out",
		rollover_help, rollover_run },
	{ "revoke", NULL, "take records out of DNS, and say when nobody accepts them any more",
		revoke_help, revoke_run },
	{ "agent", NULL, "look after every name: roll, check and put right", agent_help,
		agent_run },
	{ "top", NULL, "who is connected to a sardane-proxy, and who was refused", top_help,
		top_run },
	{ "connect", NULL, "resolve, connect, authenticate, and explain each step", connect_help,
		connect_run },
	{ "trace", NULL, "prove the chain of trust of a name, or say where it breaks", trace_help,
		trace_run },
	{ "check", NULL, "trace many names, as a monitoring plugin", check_help, check_run },
	{ "simulate", NULL, "play gateways and devices against a network server", simulate_help,
		simulate },
	{ "downlink", NULL, "queue a payload for a device", downlink_help, downlink },
	{ "device", "add", "add a device to a Join Server's database", device_add_help,
		device_add },
	{ "device", "import", "add the devices of a CSV file", device_import_help, device_import },
	{ "device", "list", "list devices", device_list_help, device_list },
	{ "device", "show", "print one device", device_show_help, device_show },
	{ "device", "remove", "remove a device", device_remove_help, device_remove },
	{ "device", "flush-nonces", "forget the nonces a device has used", device_flush_nonces_help,
		device_flush_nonces },
	{ "lab", "up", "start a private DNS world with two organisations", lab_up_help, lab_up },
	{ "lab", "status", "say what runs in it", lab_status_help, lab_status },
	{ "lab", "publish", "put a record into its DNS", lab_publish_help, lab_publish },
	{ "lab", "withdraw", "remove records from its DNS", lab_withdraw_help, lab_withdraw },
	{ "lab", "down", "stop and remove it", lab_down_help, lab_down },
	{ 0 },
};

int command_fail(const struct command *self, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "sardane %s%s%s: ", self->name, self->verb ? " " : "",
		self->verb ? self->verb : "");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 2;
}

int command_helped(const struct command *self, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0)
			return 0;
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(self->help, stdout);
			return 1;
		}
	}
	return 0;
}
