SET lock_timeout = '5s';

-- When an administrator became somebody who is none, the last time; null = never.
ALTER TABLE "user" ADD COLUMN "lowered_at" TIMESTAMPTZ(3);

-- ---- what Prisma's schema language cannot say --------------------------------------------------------------

UPDATE "user" u SET lowered_at = lowered.at
FROM (
  SELECT e.subject, max(e.at) AS at FROM audit_entry e
  WHERE e.verb = 'user.set_role' AND e.before ->> 'role' = 'admin' AND e.after ->> 'role' <> 'admin'
  GROUP BY e.subject
) lowered
WHERE u.id = lowered.subject;

-- Whoever lowers a role, by whatever way, cannot forget it. The change's own time is the console's clock.
CREATE FUNCTION user_note_lowering() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.lowered_at := CASE WHEN NEW.updated_at > OLD.updated_at THEN NEW.updated_at ELSE now() END;
  RETURN NEW;
END
$$;
CREATE TRIGGER user_lowered BEFORE UPDATE OF role ON "user"
  FOR EACH ROW WHEN (OLD.role = 'admin' AND NEW.role <> 'admin') EXECUTE FUNCTION user_note_lowering();

-- As before; a token without an owner may also be of somebody who was an administrator when it was made, or since, and
-- is none any more.
CREATE OR REPLACE FUNCTION four_eyes_fault(one text, other text)
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
    WHERE s.service AND (a.role = 'admin' OR a.lowered_at >= s.created_at)
      AND ((s.id = one AND a.id IN (SELECT b.id FROM behind_other b))
        OR (s.id = other AND a.id IN (SELECT b.id FROM behind_one b)))
      AND NOT EXISTS (SELECT FROM principal_link l WHERE l.principal_id = s.id AND l.how = 'minted')
  )
  SELECT f.reason, f.person FROM fault f ORDER BY f.rank, f.person LIMIT 1
$$;

RESET lock_timeout;
