/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/anchors.h"

#include <stdio.h>
#include <string.h>

#define LINE_MAX_OCTETS 4096

/* "; ... ;;state=2 [  VALID  ]": what unbound writes behind each key of a managed file. */
static bool is_valid(const char *comment)
{
	const char *state = comment ? strstr(comment, ";;state=") : NULL;

	return !state || state[8] == '2';
}

static int read_line(char *line, unsigned number, ldns_rr_list *to, struct err *err)
{
	char *comment = strchr(line, ';');
	bool valid = is_valid(comment);
	ldns_rr *rr = NULL;

	if (comment)
		*comment = '\0';
	if (line[strspn(line, " \t\r")] == '\0')
		return 0;
	if (ldns_rr_new_frm_str(&rr, line, 3600, NULL, NULL) != LDNS_STATUS_OK)
		return err_set(err, ERR_FORMAT, "line %u: not a record", number);
	if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_DS &&
		ldns_rr_get_type(rr) != LDNS_RR_TYPE_DNSKEY) {
		ldns_rr_free(rr);
		return err_set(err, ERR_FORMAT, "line %u: not a DS or DNSKEY", number);
	}
	if (!valid) {
		ldns_rr_free(rr);
		return 0;
	}
	if (!ldns_rr_list_push_rr(to, rr)) {
		ldns_rr_free(rr);
		return err_set(err, ERR_NOMEM, "trust anchors: no memory");
	}
	return 0;
}

int anchors_read(struct span text, ldns_rr_list **out, struct err *err)
{
	ldns_rr_list *list = ldns_rr_list_new();
	char line[LINE_MAX_OCTETS];
	int rc = list ? 0 : err_set(err, ERR_NOMEM, "trust anchors: no memory");

	for (unsigned number = 1; rc == 0 && text.n; number++) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;

		if (n >= sizeof(line) || memchr(text.p, 0, n)) {
			rc = err_set(err, ERR_FORMAT, "line %u: too long, or not text", number);
			break;
		}
		memcpy(line, text.p, n);
		line[n] = '\0';
		text.p += end ? n + 1 : n;
		text.n -= end ? n + 1 : n;
		rc = read_line(line, number, list, err);
	}
	if (rc == 0 && ldns_rr_list_rr_count(list) == 0)
		rc = err_set(err, ERR_FORMAT, "trust anchors: there is none");
	if (rc != 0)
		ldns_rr_list_deep_free(list);
	else
		*out = list;
	return rc;
}
