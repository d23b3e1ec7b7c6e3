/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/lab.h"
#include "cli/run.h"
#include "cli/text.h"
#include "json/writer.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* "A_JS" for the variables of lab.env. */
static void variable(size_t organisation, size_t role, char out[8])
{
	snprintf(out, 8, "%s_%s", lab_organisations[organisation].letter, lab_roles[role]);
	for (char *p = out; *p; p++)
		*p = (char)toupper((unsigned char)*p);
}

static int write_env(const struct lab *lab, struct err *err)
{
	struct buf t = { 0 };

	buf_printf(&t, "# for sh: . %s/lab.env\n", lab->dir);
	buf_printf(&t, "LAB_DIR='%s'\nLAB_DNS_ADDRESS=127.0.0.1\nLAB_DNS_PORT=%u\n", lab->dir,
		lab->port);
	buf_printf(&t, "LAB_RESOLVER='%s/resolver.yaml'\nLAB_ANCHOR='%s/root.key'\n", lab->dir,
		lab->dir);
	buf_printf(&t, "LAB_TSIG='%s/tsig.key'\nLAB_REGISTRY=" LAB_REGISTRY "\n", lab->dir);
	buf_text(&t, "LAB_JOIN_EUI_SUFFIX=joineuis." LAB_REGISTRY "\n");
	buf_text(&t, "LAB_NET_ID_SUFFIX=netids." LAB_REGISTRY "\n");
	for (size_t i = 0; i < LAB_ORGANISATIONS; i++) {
		const struct lab_organisation *o = &lab_organisations[i];
		int letter = toupper((unsigned char)o->letter[0]);

		buf_printf(&t, "%c_DOMAIN=%s\n%c_NET_ID=%s\n%c_JOIN_EUI=%s\n", letter, o->domain,
			letter, o->net_id, letter, o->join_eui);
		for (size_t role = 0; role < LAB_ROLES; role++) {
			struct lab_host h;
			char v[8];

			lab_host(lab, i, role, &h);
			variable(i, role, v);
			buf_printf(&t, "%s_HOST=%s\n%s_ADDRESS=%s\n%s_PORT=%u\n", v, h.name, v,
				h.address, v, h.port);
			buf_printf(&t, "%s_CLIENT_NAME=%s\n", v, h.client_name);
			buf_printf(&t, "%s_SERVER='%s/%s/%s-server'\n%s_CLIENT='%s/%s/%s-client'\n",
				v, lab->dir, o->letter, lab_roles[role], v, lab->dir, o->letter,
				lab_roles[role]);
		}
	}
	return lab_write(lab, "lab.env", &t, err);
}

/* delv has a form of its own: flags, protocol, algorithm, then the key between quotes. */
static int write_delv(const struct lab *lab, struct err *err)
{
	char path[LAB_PATH_MAX], line[512], key[400];
	unsigned flags, protocol, algorithm;
	struct buf t = { 0 };
	FILE *f = fopen(lab_path(lab, "root.key", path), "re");
	const char *at = f && fgets(line, sizeof(line), f) ? strstr(line, "DNSKEY ") : NULL;
	int rc = 0;

	if (!at || sscanf(at, "DNSKEY %u %u %u %399s", &flags, &protocol, &algorithm, key) != 4)
		rc = err_set(err, ERR_FORMAT, "file '%s': holds no DNSKEY", path);
	else
		buf_printf(&t, "trust-anchors {\n\t\".\" static-key %u %u %u \"%s\";\n};\n", flags,
			protocol, algorithm, key);
	if (f)
		fclose(f);
	return rc == 0 ? lab_write(lab, "delv.key", &t, err) : rc;
}

int lab_write_settings(const struct lab *lab, struct err *err)
{
	struct buf yaml = { 0 }, conf = { 0 };
	char helper[PATH_MAX];
	int rc;

	buf_printf(&yaml,
		"resolver:\n  backend: validating\n  trust_anchor_file: \"%s/root.key\"\n",
		lab->dir);
	buf_printf(&yaml, "  forward: [\"127.0.0.1@%u\"]\n", lab->port);
	buf_printf(&yaml, "  root_servers: [\"127.0.0.1@%u\"]\n  authority_port: %u\n", lab->port,
		lab->port);
	if (run_find_own("resolverd/sardane-resolverd", helper, sizeof(helper)))
		buf_printf(&yaml, "  helper: \"%s\"\n", helper);
	rc = lab_write(lab, "resolver.yaml", &yaml, err);
	if (rc == 0) {
		buf_printf(&conf,
			"# the port is an extension of libunbound\nnameserver 127.0.0.1@%u\n",
			lab->port);
		rc = lab_write(lab, "resolv.conf", &conf, err);
	}
	if (rc == 0)
		rc = write_delv(lab, err);
	return rc == 0 ? write_env(lab, err) : rc;
}

static void show_prefix(const struct lab *lab, const struct lab_organisation *o, const char *role,
	const char *end, struct writer *w)
{
	char member[32], prefix[LAB_PATH_MAX];

	snprintf(member, sizeof(member), "%s_prefix", end);
	snprintf(prefix, sizeof(prefix), "%s/%s/%s-%s", lab->dir, o->letter, role, end);
	writer_text(w, member, prefix);
}

static void show_organisation(const struct lab *lab, size_t i, struct writer *w)
{
	const struct lab_organisation *o = &lab_organisations[i];
	char path[LAB_PATH_MAX];
	struct lab_host h;

	writer_open(w, o->letter, '{');
	writer_text(w, "domain", o->domain);
	writer_text(w, "net_id", o->net_id);
	writer_text(w, "join_eui", o->join_eui);
	snprintf(path, sizeof(path), "%s/%s/root/ca.pem", lab->dir, o->letter);
	writer_text(w, "root", path);
	for (size_t role = 0; role < LAB_ROLES; role++) {
		lab_host(lab, i, role, &h);
		writer_open(w, lab_roles[role], '{');
		writer_text(w, "host", h.name);
		writer_text(w, "address", h.address);
		writer_u64(w, "port", h.port);
		writer_text(w, "tlsa", h.server_owner);
		writer_text(w, "client_name", h.client_name);
		show_prefix(lab, o, lab_roles[role], "server", w);
		show_prefix(lab, o, lab_roles[role], "client", w);
		writer_close(w);
	}
	writer_close(w);
}

static void show_broken(struct writer *w)
{
	char name[LAB_NAME_MAX];
	struct lab_broken b;

	writer_open(w, "broken", '[');
	for (size_t i = 0; i < lab_broken_count(); i++) {
		lab_broken(i, &b);
		writer_open(w, NULL, '{');
		snprintf(name, sizeof(name), "%s.broken.example", b.name);
		writer_text(w, "zone", name);
		snprintf(name, sizeof(name), "%s.%s.broken.example", b.ask, b.name);
		writer_text(w, "name", name);
		writer_text(w, "what", b.what);
		writer_close(w);
	}
	writer_close(w);
}

static void show_json(const struct lab *lab, int pid)
{
	char path[LAB_PATH_MAX];
	struct buf t = { 0 };
	struct writer w = writer_into(&t);

	writer_open(&w, NULL, '{');
	writer_bool(&w, "running", pid != 0);
	writer_integer(&w, "pid", pid);
	writer_text(&w, "dir", lab->dir);
	writer_text(&w, "dns_address", "127.0.0.1");
	writer_u64(&w, "dns_port", lab->port);
	writer_u64(&w, "ttl", lab->ttl_s);
	writer_text(&w, "resolver", lab_path(lab, "resolver.yaml", path));
	writer_text(&w, "trust_anchor_file", lab_path(lab, "root.key", path));
	writer_text(&w, "tsig_file", lab_path(lab, "tsig.key", path));
	writer_text(&w, "join_eui_suffix", "joineuis." LAB_REGISTRY);
	writer_text(&w, "net_id_suffix", "netids." LAB_REGISTRY);
	writer_open(&w, "zones", '[');
	for (size_t i = 0; i < LAB_ZONES; i++)
		writer_text(&w, NULL, lab_zones[i].name);
	writer_close(&w);
	if (lab->broken)
		show_broken(&w);
	writer_open(&w, "organisations", '{');
	for (size_t i = 0; i < LAB_ORGANISATIONS; i++)
		show_organisation(lab, i, &w);
	writer_close(&w);
	writer_close(&w);
	buf_text(&t, "\n");
	text_print(&t);
}

static const char *const signing_words[] = {
	[LAB_SIGNED] = "signed",
	[LAB_UNSIGNED] = "not signed",
	[LAB_BOGUS] = "signed, but its DS is wrong",
};

static void show_samples(const struct lab *lab, struct buf *t)
{
	struct lab_host a, h;

	lab_host(lab, 0, 0, &a);
	lab_host(lab, 1, 1, &h);
	buf_printf(t, "\ntry\n  kdig @127.0.0.1 -p %u +dnssec %s TLSA\n", lab->port,
		h.server_owner);
	buf_printf(t, "  delv @127.0.0.1 -p %u -a %s/delv.key +root=. %s TLSA\n", lab->port,
		lab->dir, h.server_owner);
	buf_printf(t, "  sardane connect %s:%u --resolver %s/resolver.yaml\n", h.name, h.port,
		lab->dir);
	buf_printf(t, "  sardane lab withdraw --dir %s %s TLSA\n", lab->dir, a.client_name);
	buf_printf(t, "  . %s/lab.env\n", lab->dir);
}

void lab_show(const struct lab *lab, int pid, bool json)
{
	struct buf t = { 0 };

	if (json) {
		show_json(lab, pid);
		return;
	}
	if (pid != 0)
		buf_printf(&t, "knotd runs as process %d on 127.0.0.1 port %u, folder %s\n", pid,
			lab->port, lab->dir);
	else
		buf_printf(&t, "knotd does not run; folder %s is left\n", lab->dir);
	buf_text(&t, "\nzones\n");
	for (size_t i = 0; i < LAB_ZONES; i++)
		buf_printf(&t, "  %-22s %s\n", lab_zones[i].name,
			signing_words[lab_zones[i].signing]);
	for (size_t i = 0; lab->broken && i < lab_broken_count(); i++) {
		struct lab_broken b;

		lab_broken(i, &b);
		buf_printf(&t, "  %s.%s.broken.example: %s\n", b.ask, b.name, b.what);
	}
	for (size_t i = 0; i < LAB_ORGANISATIONS; i++) {
		const struct lab_organisation *o = &lab_organisations[i];

		buf_printf(&t, "\n%s: NetID %s, JoinEUI %s, files in %s/%s\n", o->title, o->net_id,
			o->join_eui, lab->dir, o->letter);
		for (size_t role = 0; role < LAB_ROLES; role++) {
			struct lab_host h;

			lab_host(lab, i, role, &h);
			buf_printf(&t, "  %-13s %-15s port %-5u client %s\n", h.name, h.address,
				h.port, h.client_name);
		}
	}
	buf_printf(&t,
		"\nresolver  %s/resolver.yaml\nanchor    %s/root.key\nupdates   %s/tsig.key\n",
		lab->dir, lab->dir, lab->dir);
	if (pid != 0)
		show_samples(lab, &t);
	text_print(&t);
}
