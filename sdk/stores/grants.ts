import { IdempotencyOptionsError } from '../errors'
import { quoteIdentifier, quoteLiteral } from './postgres/quote'

export type ConsoleGrantOptions = {
  /** The role that the console's source connects as; it must exist. */
  role: string
  /** Default `public`. */
  schema?: string
}

/**
 * The SQL that gives the console what it needs of the store and no more: read all, act on live keys, write the record
 * of a key that it completes, collect, place and lift holds through functions. Run it as the tables' owner, after `migrate()`.
 */
export function grantsForConsole({ role, schema = 'public' }: ConsoleGrantOptions): string {
  if (role === '' || schema === '') throw new IdempotencyOptionsError(['role and schema must be names'])
  const to = quoteIdentifier(role)
  const on = quoteIdentifier(schema)
  const tables = (names: string[]) => names.map((name) => `${on}.${name}`).join(', ')
  return [
    `-- Idemscope: least privilege for ${quoteLiteral(role)}`.replaceAll('\n', ' '),
    `GRANT USAGE ON SCHEMA ${on} TO ${to};`,
    `GRANT SELECT ON ${tables(['idem_scope', 'idem_tier', 'idem_lease', 'idem_step', 'idem_record', 'idem_body', 'idem_migration'])} TO ${to};`,
    `GRANT UPDATE, DELETE ON ${tables(['idem_lease'])} TO ${to};`,
    `GRANT DELETE ON ${tables(['idem_step'])} TO ${to};`,
    `GRANT INSERT ON ${tables(['idem_record', 'idem_body'])} TO ${to};`,
    `GRANT EXECUTE ON FUNCTION ${on}.idem_partitions(), ${on}.idem_ensure_partitions(smallint),`,
    `  ${on}.idem_collect_partition(regclass, bigint) TO ${to};`,
    // From migration 0002 on; a store without it takes everything else.
    'DO $$ BEGIN',
    `  IF to_regclass(${quoteLiteral(`${on}.idem_hold`)}) IS NOT NULL THEN`,
    `    GRANT SELECT ON ${tables(['idem_hold'])} TO ${to};`,
    `    GRANT EXECUTE ON FUNCTION ${on}.idem_place_hold, ${on}.idem_lift_hold TO ${to};`,
    '  END IF;',
    // From migration 0003 on: the outbox is read, and what is dead goes back or ends through functions.
    `  IF to_regclass(${quoteLiteral(`${on}.idem_outbox`)}) IS NOT NULL THEN`,
    `    GRANT SELECT ON ${tables(['idem_outbox', 'idem_outbox_relay', 'idem_outbox_lane'])} TO ${to};`,
    `    GRANT EXECUTE ON FUNCTION ${on}.idem_outbox_redrive, ${on}.idem_outbox_discard TO ${to};`,
    '  END IF;',
    'END $$;',
    '',
  ].join('\n')
}
