#include "base/endpoints.h"

#define GET EVHTTP_REQ_GET
#define POST EVHTTP_REQ_POST
#define PATCH EVHTTP_REQ_PATCH
#define DELETE EVHTTP_REQ_DELETE

#define READS ENDPOINT_READS
#define CHANGES ENDPOINT_CHANGES
#define KEY ENDPOINT_KEY
#define DATA ENDPOINT_DATA
#define LOCAL ENDPOINT_LOCAL
#define ENCRYPTS ENDPOINT_ENCRYPTS
#define DECRYPTS ENDPOINT_DECRYPTS
#define GENERATES ENDPOINT_GENERATES
#define LISTS ENDPOINT_LISTS
#define SEARCHES ENDPOINT_SEARCHES
#define LARGE ENDPOINT_LARGE
#define EMPTY ENDPOINT_EMPTY

#define API(path) ENDPOINT_SECRETS path
#define KEYS(path) ENDPOINT_KEYS path

/* clang-format off */
const struct endpoint endpoints[] = {
	{ POST,   API("/secrets"),                                          "secret_create",                 CHANGES },
	{ GET,    API("/secrets"),                                          "secret_list",                   READS | LISTS | LARGE | EMPTY },
	{ GET,    API("/secrets/browse"),                                   "secret_browse",                 READS | LISTS | LARGE | EMPTY },
	{ GET,    API("/secrets/{secret_id}"),                              "secret_get",                    READS },
	{ PATCH,  API("/secrets/{secret_id}"),                              "secret_update",                 CHANGES },
	{ DELETE, API("/secrets/{secret_id}"),                              "secret_delete",                 CHANGES },
	{ POST,   API("/secrets/{secret_id}/protect"),                      "secret_protect",                CHANGES },
	{ POST,   API("/secrets/{secret_id}/unprotect"),                    "secret_unprotect",              CHANGES },
	{ POST,   API("/secrets/{secret_id}/restore"),                      "secret_restore",                CHANGES },
	{ POST,   API("/secrets/{secret_id}/add-owner"),                    "secret_add_owner",              CHANGES },
	{ POST,   API("/secrets/{secret_id}/versions"),                     "secret_version_create",         CHANGES | KEY | DATA },
	{ GET,    API("/secrets/{secret_id}/versions"),                     "secret_version_list",           READS | LISTS | LARGE },
	{ GET,    API("/secrets/{secret_id}/versions/{revision}"),          "secret_version_get",            READS },
	{ PATCH,  API("/secrets/{secret_id}/versions/{revision}"),          "secret_version_update",         CHANGES },
	{ DELETE, API("/secrets/{secret_id}/versions/{revision}"),          "secret_version_delete",         CHANGES },
	{ GET,    API("/secrets/{secret_id}/versions/{revision}/access"),   "secret_version_access",         READS | KEY },
	{ POST,   API("/secrets/{secret_id}/versions/{revision}/enable"),   "secret_version_enable",         CHANGES },
	{ POST,   API("/secrets/{secret_id}/versions/{revision}/disable"),  "secret_version_disable",        CHANGES },
	{ POST,   API("/secrets/{secret_id}/versions/{revision}/restore"),  "secret_version_restore",        CHANGES },
	{ GET,    API("/secrets-by-path/versions/{revision}/access"),       "secret_version_access_by_path", READS | KEY },
	{ GET,    API("/tags"),                                             "tag_list",                      READS | LISTS | LARGE | EMPTY },
	{ GET,    API("/secret-types"),                                     "secret_type_list",              READS | EMPTY },
	{ POST,   KEYS("/keys"),                                            "key_create",                    CHANGES },
	{ GET,    KEYS("/keys"),                                            "key_list",                      READS | LISTS | LARGE | EMPTY },
	{ GET,    KEYS("/keys/{key_id}"),                                   "key_get",                       READS },
	{ PATCH,  KEYS("/keys/{key_id}"),                                   "key_update",                    CHANGES },
	{ DELETE, KEYS("/keys/{key_id}"),                                   "key_delete",                    CHANGES },
	{ POST,   KEYS("/keys/{key_id}/rotate"),                            "key_rotate",                    CHANGES },
	{ POST,   KEYS("/keys/{key_id}/protect"),                           "key_protect",                   CHANGES },
	{ POST,   KEYS("/keys/{key_id}/unprotect"),                         "key_unprotect",                 CHANGES },
	{ POST,   KEYS("/keys/{key_id}/enable"),                            "key_enable",                    CHANGES },
	{ POST,   KEYS("/keys/{key_id}/disable"),                           "key_disable",                   CHANGES },
	{ POST,   KEYS("/keys/{key_id}/restore"),                           "key_restore",                   CHANGES },
	{ POST,   KEYS("/keys/{key_id}/encrypt"),                           "key_encrypt",                   READS | ENCRYPTS },
	{ POST,   KEYS("/keys/{key_id}/decrypt"),                           "key_decrypt",                   READS | DECRYPTS },
	{ POST,   KEYS("/keys/{key_id}/generate-data-key"),                 "key_generate_data_key",         READS | GENERATES },
	{ GET,    KEYS("/algorithms"),                                      "algorithm_list",                READS | EMPTY },
	{ GET,    "/audit-trail/v1alpha1/regions/{region}/events",          "audit_event_list",              READS | SEARCHES | EMPTY },
	{ GET,    "/coffer/v1/regions/{region}/changes",                    "change_list",                   READS | LISTS },
	{ GET,    "/metadata",                                              "metadata",                      LOCAL },
	{ GET,    "/live",                                                  "live",                          LOCAL },
	{ GET,    "/ready",                                                 "ready",                         LOCAL },
};
/* clang-format on */

const size_t endpoints_count = sizeof(endpoints) / sizeof(endpoints[0]);
