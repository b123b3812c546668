-- What acquire and complete cost, without giving up a guarantee (docs/decisions/030-what-an-acquire-costs.md).

-- Scopes are never deleted, so the reference proved nothing; its check locked the one hot row of a route's scope for
-- every acquire of every connection.
ALTER TABLE idem_lease DROP CONSTRAINT idem_lease_scope_id_fkey;
