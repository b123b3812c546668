SET lock_timeout = '5s';

-- Shown to the account's person alone, who reads it to a second administrator. Null = nobody has to.
ALTER TABLE "user" ADD COLUMN "confirm_code" TEXT;

-- CreateTable
CREATE TABLE "principal_link" (
    "id" BIGSERIAL NOT NULL,
    "principal_id" TEXT NOT NULL,
    "by_id" TEXT NOT NULL,
    "how" TEXT NOT NULL,
    "holds" BOOLEAN NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "principal_link_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "invitation" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "secret_hash" TEXT NOT NULL,
    "invited_by" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "invitation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "attempt_count" (
    "key" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "attempt_count_pkey" PRIMARY KEY ("key")
);

-- DropTable
DROP TABLE "rate_limit";

-- CreateIndex
CREATE INDEX "principal_link_principal_id_idx" ON "principal_link"("principal_id");

-- CreateIndex
CREATE UNIQUE INDEX "invitation_secret_hash_key" ON "invitation"("secret_hash");

-- CreateIndex
CREATE INDEX "invitation_user_id_idx" ON "invitation"("user_id");

-- CreateIndex
CREATE INDEX "attempt_count_ends_at_idx" ON "attempt_count"("ends_at");

-- AddForeignKey
ALTER TABLE "principal_link" ADD CONSTRAINT "principal_link_principal_id_fkey" FOREIGN KEY ("principal_id") REFERENCES "user"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "principal_link" ADD CONSTRAINT "principal_link_by_id_fkey" FOREIGN KEY ("by_id") REFERENCES "user"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "invitation" ADD CONSTRAINT "invitation_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "invitation" ADD CONSTRAINT "invitation_invited_by_fkey" FOREIGN KEY ("invited_by") REFERENCES "user"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- ---- what Prisma's schema language cannot say --------------------------------------------------------------

ALTER TABLE principal_link ADD CONSTRAINT principal_link_of_another CHECK (principal_id <> by_id);

-- Accounts that existed: who made them saw their password; who raised or let them in is known from the audit.
INSERT INTO principal_link (principal_id, by_id, how, holds, at)
SELECT e.subject, e.actor_id,
       CASE e.verb WHEN 'user.create' THEN 'invited' WHEN 'user.let_in' THEN 'let_in' ELSE 'raised' END,
       e.verb = 'user.create', e.at
FROM audit_entry e JOIN "user" u ON u.id = e.subject JOIN "user" b ON b.id = e.actor_id
WHERE e.subject <> e.actor_id AND (e.verb IN ('user.create', 'user.let_in') OR e.verb = 'user.set_role'
  AND array_position('{viewer,operator,approver,admin}', e.after ->> 'role')
    > array_position('{viewer,operator,approver,admin}', e.before ->> 'role'))
ORDER BY e.id;

-- Tokens that had no end get one, from today.
UPDATE apikey k SET expires_at = now() + CASE WHEN u.service THEN interval '365 days' ELSE interval '90 days' END
FROM "user" u WHERE u.id = k.reference_id AND k.expires_at IS NULL;

-- Everybody who can be behind an account: itself, the people who held its credentials, and anyone behind those.
CREATE FUNCTION principals_behind(account text) RETURNS TABLE (id text) LANGUAGE sql STABLE AS $$
  WITH RECURSIVE behind(id) AS (
    SELECT account
    UNION
    SELECT l.by_id FROM principal_link l JOIN behind b ON b.id = l.principal_id WHERE l.holds
  )
  SELECT behind.id FROM behind
$$;

-- Why two accounts are not proved to be two people; no row = they are. It is symmetric.
--   own      the same account
--   held     one person held what signs in both
--   changed  one of them raised, renamed, let in, invited or confirmed the other, or who is behind it
--   unowned  a token of the command line without an owner: it may be any administrator's
CREATE FUNCTION four_eyes_fault(one text, other text)
RETURNS TABLE (reason text, person text) LANGUAGE sql STABLE AS $$
  WITH behind_one AS (SELECT b.id FROM principals_behind(one) b),
       behind_other AS (SELECT b.id FROM principals_behind(other) b),
       fault(rank, reason, person) AS (
    SELECT 1, 'own', one WHERE one = other
    UNION ALL
    SELECT 2, 'held', b.id FROM behind_one b JOIN behind_other USING (id)
    UNION ALL
    SELECT 3, 'changed', l.by_id FROM principal_link l
    WHERE (l.by_id = one AND l.principal_id IN (SELECT b.id FROM behind_other b))
       OR (l.by_id = other AND l.principal_id IN (SELECT b.id FROM behind_one b))
    UNION ALL
    SELECT 4, 'unowned', a.id FROM "user" s, "user" a
    WHERE s.service AND a.role = 'admin'
      AND ((s.id = one AND a.id IN (SELECT b.id FROM behind_other b))
        OR (s.id = other AND a.id IN (SELECT b.id FROM behind_one b)))
      AND NOT EXISTS (SELECT FROM principal_link l WHERE l.principal_id = s.id AND l.how = 'minted')
  )
  SELECT f.reason, f.person FROM fault f ORDER BY f.rank, f.person LIMIT 1
$$;

-- Four eyes are two people, whatever the code does.
CREATE FUNCTION action_refuse_one_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM four_eyes_fault(NEW.proposer_id, NEW.approver_id)) THEN
    RAISE EXCEPTION 'action_four_eyes: proposer and approver are not proved to be two people'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER action_two_people BEFORE INSERT OR UPDATE OF proposer_id, approver_id ON "action"
  FOR EACH ROW WHEN (NEW.approver_id IS NOT NULL) EXECUTE FUNCTION action_refuse_one_person();

RESET lock_timeout;
