SET lock_timeout = '5s';

-- CreateTable
CREATE TABLE "audit_unsealed" (
    "entry_id" BIGINT NOT NULL,

    CONSTRAINT "audit_unsealed_pkey" PRIMARY KEY ("entry_id")
);

-- CreateTable
CREATE TABLE "audit_head" (
    "seq" BIGINT NOT NULL,
    "hash" BYTEA NOT NULL,
    "key_id" TEXT NOT NULL,
    "signature" BYTEA NOT NULL,
    "signed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "audit_head_pkey" PRIMARY KEY ("seq")
);

-- ---- what Prisma's schema language cannot say --------------------------------------------------------------

-- Entries commit out of the order of their ids. Each notes itself in its own transaction, so that it is seen when it
-- commits, however many younger ones were sealed before.
CREATE FUNCTION audit_note_unsealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit_unsealed (entry_id) VALUES (NEW.id);
  RETURN NULL;
END
$$;
CREATE TRIGGER audit_entry_unsealed AFTER INSERT ON audit_entry
  FOR EACH ROW EXECUTE FUNCTION audit_note_unsealed();

-- The trigger's lock on audit_entry waited for those that were being written: what is there now is all that has no note.
INSERT INTO audit_unsealed (entry_id)
SELECT e.id FROM audit_entry e WHERE NOT EXISTS (SELECT FROM audit_seal s WHERE s.entry_id = e.id);

CREATE TRIGGER audit_head_append_only BEFORE UPDATE OR DELETE ON audit_head
  FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON audit_head
  FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON audit_head FROM CURRENT_USER;

RESET lock_timeout;
