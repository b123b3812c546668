import type { Db } from '@/lib/db'

/** No process signs in as it. */
const OWNER = 'idemscope_owner'

const TABLES = ['audit_entry', 'audit_seal', 'audit_head', 'audit_unsealed']
const FUNCTIONS = ['audit_refuse_change()', 'audit_note_unsealed()']

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/**
 * The SQL that takes the audit from the console's own role: it may read and append, and not change, drop or disarm. Run
 * it as a superuser in the console's database, after migrating. The database too gets the new owner, since a schema's
 * owner could drop what is in it.
 */
export function takeAuditSql({ database, role }: { database: string; role: string }): string {
  const [db, to] = [quoted(database), quoted(role)]
  return [
    `DO $$ BEGIN CREATE ROLE ${OWNER} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;`,
    `ALTER DATABASE ${db} OWNER TO ${OWNER};`,
    `GRANT CONNECT, CREATE, TEMPORARY ON DATABASE ${db} TO ${to};`,
    `ALTER SCHEMA public OWNER TO ${OWNER};`,
    `GRANT USAGE, CREATE ON SCHEMA public TO ${to};`,
    ...TABLES.map((table) => `ALTER TABLE public.${table} OWNER TO ${OWNER};`),
    ...FUNCTIONS.map((name) => `ALTER FUNCTION public.${name} OWNER TO ${OWNER};`),
    `REVOKE ALL ON ${on(TABLES)} FROM ${to};`,
    `GRANT SELECT, INSERT ON ${on(TABLES)} TO ${to};`,
    `GRANT DELETE ON public.audit_unsealed TO ${to};`,
    `GRANT USAGE ON SEQUENCE public.audit_entry_id_seq TO ${to};`,
    // The foreign key of a seal locks its entry, as the owner of the entries.
    `GRANT SELECT, UPDATE (id) ON public.audit_entry TO ${OWNER};`,
    '',
  ].join('\n')
}

/** The SQL that gives it back, before a migration that changes these tables. */
export const giveBackAuditSql = ({ role }: { role: string }): string =>
  [
    ...TABLES.map((table) => `ALTER TABLE IF EXISTS public.${table} OWNER TO ${quoted(role)};`),
    `DO $$ BEGIN`,
    ...FUNCTIONS.map(
      (name) =>
        `  IF to_regprocedure('public.${name}') IS NOT NULL THEN ALTER FUNCTION public.${name} OWNER TO ${quoted(role)}; END IF;`,
    ),
    `END $$;`,
    '',
  ].join('\n')

const on = (tables: readonly string[]): string => tables.map((table) => `public.${table}`).join(', ')

const OWNS = `
  SELECT bool_or(pg_has_role(c.relowner, 'MEMBER') OR pg_has_role(n.nspowner, 'MEMBER')) AS owns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid IN ('audit_entry'::regclass, 'audit_seal'::regclass, 'audit_head'::regclass)`

/** Whether this process's own role could rewrite the audit: then only the signed heads tell. */
export async function ownsAudit(db: Db): Promise<boolean> {
  const { rows } = await db.pool.query<{ owns: boolean }>(OWNS)
  return rows[0]?.owns ?? true
}
