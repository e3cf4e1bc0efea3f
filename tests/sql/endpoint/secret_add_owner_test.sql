-- POST /secrets/{secret_id}/add-owner
BEGIN;
\ir ../setup.sql

-- Allowed ----------------------------------------------------------------------

SELECT backdate('ready');
SELECT results_eq($$SELECT status, text FROM call('secret_add_owner', 'ready',
                                                  body => '{"product": "s2s_vpn"}',
                                                  caller => 'only write')$$,
                  $$VALUES (204, NULL)$$, 'secret_add_owner answers 204 without a body');
SELECT is(audited(), 'secret_add_owner 204 by only write on ready in main', 'it is audited');
SELECT is((stored('ready')).used_by, '{s2s_vpn}', 'the product uses the secret');
SELECT is((stored('ready')).updated_at, long_ago(), 'which is no change of it');

SELECT given('secret_add_owner', 'ready', body => '{"product": "edge_services"}');
SELECT is((call('secret_add_owner', 'ready', body => '{"product": "s2s_vpn"}')).status, 204,
          'secret_add_owner can be repeated');
SELECT is((stored('ready')).used_by, '{s2s_vpn,edge_services}',
          'each product is there once, in the order they came');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_add_owner', '400 invalid_arguments product required', 'no product', 'ready');
SELECT refuses('secret_add_owner', '400 invalid_arguments product format', 'an unknown product',
               'ready', body => '{"product": "unknown_product"}');
SELECT refuses('secret_add_owner', '412 precondition_failed resource_not_usable',
               'a secret that is scheduled for deletion', 'scheduled',
               body => '{"product": "s2s_vpn"}');
SELECT refuses('secret_add_owner', '423 locked secret', 'a locked secret', 'locked',
               body => '{"product": "s2s_vpn"}');
SELECT refuses('secret_add_owner', '403 permissions_denied write secret', 'a managed secret',
               'managed', body => '{"product": "s2s_vpn"}');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged('secret_add_owner', 'write secret', body => '{"product": "s2s_vpn"}');

SELECT finish();
ROLLBACK;
