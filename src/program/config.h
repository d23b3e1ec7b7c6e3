/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config - a YAML file straight into a struct, by a schema table.
 *
 *   Refused    unknown keys, keys given twice, aliases, more than one document, files
 *              above 1 MiB. The words name file, line, column and key:
 *              "/etc/sardane/joind.yaml:12:5: unknown key 'bnid'".
 *   Schema     libcyaml's. The top is a mapping with CYAML_FLAG_POINTER; strings are
 *              char * (CYAML_FIELD_STRING_PTR). Blocks that every program shares:
 *              program/resolver_config.h, tls_config.h, policy.h.
 *   Ownership  *out is the caller's, freed by config_free with the same schema.
 *   Errors     ERR_SYSTEM (cannot read it), ERR_FORMAT.
 */
#ifndef PROGRAM_CONFIG_H
#define PROGRAM_CONFIG_H

#include <cyaml/cyaml.h>

#include "core/buf.h"
#include "core/err.h"

/* A value that is the struct named type, described by fields. */
#define CONFIG_SCHEMA(type, fields)                                   \
	{                                                             \
		CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, type, fields) \
	}

/* The text of a file, as config_load reads it; the caller's buf. */
int config_text(const char *path, struct buf *out, struct err *err);
int config_load(const char *path, const cyaml_schema_value_t *schema, void **out, struct err *err);
/* The same from text; name stands for the file in the words. */
int config_load_text(const char *name, const char *text, const cyaml_schema_value_t *schema,
	void **out, struct err *err);
void config_free(const cyaml_schema_value_t *schema, void *data);

#endif
