/* SPDX-License-Identifier: Apache-2.0 */
#include "program/config_keys.h"

#include <string.h>
#include <yaml.h>

struct walk {
	yaml_document_t *doc;
	config_keys_seen *seen;
	void *arg;
	struct err *err;
};

static const char *scalar(struct walk *w, int node)
{
	const yaml_node_t *n = yaml_document_get_node(w->doc, node);

	return n && n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : NULL;
}

/* Keys that are no scalar have no name. */
static int see(struct walk *w, const char *list, unsigned index, int node)
{
	struct config_key key = { .list = list, .key = scalar(w, node), .index = index };
	yaml_mark_t at;

	if (!key.key)
		return 0;
	at = yaml_document_get_node(w->doc, node)->start_mark;
	key.line = at.line + 1;
	key.column = at.column + 1;
	return w->seen(w->arg, &key, w->err);
}

static int walk_entry(struct walk *w, const char *list, unsigned index, int node)
{
	const yaml_node_t *entry = yaml_document_get_node(w->doc, node);
	int rc = 0;

	if (!entry || entry->type != YAML_MAPPING_NODE)
		return 0;
	for (yaml_node_pair_t *p = entry->data.mapping.pairs.start;
		p < entry->data.mapping.pairs.top && rc == 0; p++)
		rc = see(w, list, index, p->key);
	return rc;
}

static int walk_pair(struct walk *w, const yaml_node_pair_t *p)
{
	const yaml_node_t *list = yaml_document_get_node(w->doc, p->value);
	const char *name = scalar(w, p->key);
	unsigned index = 0;
	int rc = see(w, NULL, 0, p->key);

	if (rc != 0)
		return rc;
	if (!name || !list || list->type != YAML_SEQUENCE_NODE)
		return 0;
	for (yaml_node_item_t *i = list->data.sequence.items.start;
		i < list->data.sequence.items.top && rc == 0; i++)
		rc = walk_entry(w, name, index++, *i);
	return rc;
}

static int walk_root(struct walk *w)
{
	const yaml_node_t *root = yaml_document_get_root_node(w->doc);
	int rc = 0;

	if (!root || root->type != YAML_MAPPING_NODE)
		return 0;
	for (yaml_node_pair_t *p = root->data.mapping.pairs.start;
		p < root->data.mapping.pairs.top && rc == 0; p++)
		rc = walk_pair(w, p);
	return rc;
}

int config_keys_each(const char *text, config_keys_seen *seen, void *arg, struct err *err)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	int rc;

	if (!yaml_parser_initialize(&parser))
		return err_set(err, ERR_NOMEM, "no memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
	if (yaml_parser_load(&parser, &doc)) {
		rc = walk_root(&(struct walk){ &doc, seen, arg, err });
		yaml_document_delete(&doc);
	} else if (parser.error == YAML_MEMORY_ERROR) {
		rc = err_set(err, ERR_NOMEM, "no memory");
	} else {
		rc = err_set(err, ERR_FORMAT, "no YAML: %s", parser.problem);
	}
	yaml_parser_delete(&parser);
	return rc;
}
