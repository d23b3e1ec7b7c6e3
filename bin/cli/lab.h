/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab - a private DNS world on loopback: what is in it, and where its files lie.
 *
 *   .                            signed by Knot, one key each (ECDSA P-256), DS in the parent
 *   +-- example
 *       +-- a.example            ns, js, as: A, TLSA of the server, TLSA of the client
 *       +-- b.example            the same for the other organisation
 *       +-- iot-registry.example joineuis (NAPTR > SRV > js), netids (CNAME > ns)
 *       +-- unsigned.example     no DS, no signatures
 *       +-- bogus.example        signed, but the DS in its parent is of another key
 *       +-- broken.example       only with --broken: zones below it, each broken in its own way,
 *                                signed once by the tools of ldns (labbroken.c)
 *
 *   Folder    DIR/lab.yaml marks it as ours and holds the settings; DIR/a and DIR/b hold an
 *             organisation each: root/, ca/ and <role>-server*, <role>-client* files.
 *   Address   a host has a loopback address of its own, 127.(port>>8).(port&255).N, where
 *             port is that of the lab's name server: labs side by side do not meet.
 *   Errors    ERR_* with words.
 */
#ifndef CLI_LAB_H
#define CLI_LAB_H

#include "core/buf.h"
#include "core/err.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The control socket below must fit into sun_path, 108 octets. */
#define LAB_DIR_MAX   80
#define LAB_PATH_MAX  192
#define LAB_NAME_MAX  128
#define LAB_TSIG_NAME "sardane-lab"
#define LAB_REGISTRY  "iot-registry.example"
#define LAB_DNS_HOST  "dns.example"

enum lab_signing { LAB_SIGNED, LAB_UNSIGNED, LAB_BOGUS };

struct lab_zone {
	const char *name; /* "." for the root */
	const char *file;
	int parent; /* index, -1 for the root; a parent stands before its children */
	enum lab_signing signing;
};

struct lab_organisation {
	const char *letter; /* folder below DIR */
	const char *domain;
	const char *title; /* in the names of its authorities */
	const char *net_id;
	const char *join_eui;
	unsigned first; /* last octet of its first host's address */
};

#define LAB_ZONES         7
#define LAB_ORGANISATIONS 2
#define LAB_ROLES         3

extern const struct lab_zone lab_zones[LAB_ZONES];
extern const struct lab_organisation lab_organisations[LAB_ORGANISATIONS];
extern const char *const lab_roles[LAB_ROLES]; /* "ns", "js", "as" */

struct lab {
	char dir[LAB_DIR_MAX + 1];
	unsigned port;
	unsigned ttl_s;
	unsigned role_port[LAB_ROLES];
	char address[16]; /* IPv4 of every host; "": one each */
	bool broken;
};

/* Name servers: one that has everything, and two for the broken zones. */
enum lab_server { LAB_MAIN, LAB_OTHER, LAB_MUTE };

struct lab_host {
	char name[LAB_NAME_MAX];
	char address[16];
	unsigned port;
	char server_owner[LAB_NAME_MAX]; /* TLSA of the server */
	char client_name[LAB_NAME_MAX];  /* TLSA of the client, and its identity */
};

void lab_host(const struct lab *lab, size_t organisation, size_t role, struct lab_host *out);

/* DIR/<file>, always fits. */
const char *lab_path(const struct lab *lab, const char *file, char out[LAB_PATH_MAX]);

/* Absolute form of dir, or of the default when NULL, into lab->dir. */
int lab_locate(struct lab *lab, const char *dir, struct err *err);

/* lab.yaml: written first and removed last. */
int lab_save(const struct lab *lab, struct err *err);
int lab_load(struct lab *lab, struct err *err);

/* True when lab.yaml is there, in a folder that is ours alone. */
bool lab_exists(const struct lab *lab);

/* Makes DIR (0700), or takes an empty one that is ours. */
int lab_make_folder(const struct lab *lab, struct err *err);
int lab_remove_folder(const struct lab *lab, struct err *err);

/* Whole file at once, mode 0600. */
int lab_write(const struct lab *lab, const char *file, struct buf *text, struct err *err);

/* labcert.c: authorities, keys and certificates of both organisations. */
int lab_make_credentials(const struct lab *lab, struct err *err);

/* labzone.c: "OWNER. TTL TLSA 3 1 1 ..." of a certificate below DIR. */
int lab_put_tlsa(const struct lab *lab, const char *owner, const char *file, struct buf *text,
	struct err *err);

/* labzone.c: zone files; ds[i] holds the DS lines of zone i. */
int lab_write_zones(const struct lab *lab, struct buf ds[LAB_ZONES], struct buf *broken_ds,
	struct err *err);

/* labknot.c: the name server. */
int lab_find_programs(struct err *err);
int lab_choose_port(unsigned *port, struct err *err);
bool lab_port_is_free(unsigned port);
int lab_prepare_knot(const struct lab *lab, struct err *err);
int lab_make_keys(const struct lab *lab, struct buf ds[LAB_ZONES], struct err *err);
int lab_start_knot(const struct lab *lab, struct err *err);
int lab_stop_knot(const struct lab *lab, struct err *err);

/* The process, when it runs and is ours; 0 otherwise. */
int lab_knot_pid(const struct lab *lab);
int lab_server_pid(const struct lab *lab, enum lab_server server);
int lab_start_other(const struct lab *lab, enum lab_server server, const char *address,
	struct err *err);

/* labbroken.c: the broken zones, when lab->broken. */
struct lab_broken {
	const char *name; /* of the zone, below broken.example */
	const char *ask;  /* whose TLSA to ask for, below the zone */
	const char *what; /* in words */
};

size_t lab_broken_count(void);
void lab_broken(size_t i, struct lab_broken *out);
int lab_broken_find_programs(struct err *err);
int lab_broken_make(const struct lab *lab, struct buf *ds, struct err *err); /* of their parent */
void lab_broken_conf(const struct lab *lab, enum lab_server server, struct buf *text);
int lab_broken_start(const struct lab *lab, struct err *err);
bool lab_broken_is_served(const struct lab *lab, size_t i); /* by each server that has it */

/* labshow.c */
int lab_write_settings(const struct lab *lab, struct err *err); /* resolver.yaml, lab.env ... */
void lab_show(const struct lab *lab, int pid, bool json);

/* Set by SIGINT and SIGTERM while "up" works. */
extern volatile sig_atomic_t lab_interrupted;

#endif
