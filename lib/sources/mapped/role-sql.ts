import { literal, quoteIdentifier } from './bind'
import { type MappedConfig, mappedColumns } from './config'

/**
 * Least privilege, column by column: read what is mapped, change what the verbs write, delete only where collection is
 * switched on. Comments name the index that the reading of live keys wants.
 */
export function roleSql(config: MappedConfig, role: string): string {
  const to = quoteIdentifier(role)
  const table = tableName(config)
  return [
    ...tableGrants(config, role, { read: mappedColumns(config), written: writtenColumns(config) }),
    ...(config.collect
      ? [
          '-- Collection deletes finished rows, and archives them whole first.',
          `GRANT SELECT, DELETE ON ${table} TO ${to};`,
        ]
      : []),
    ...indexAdvice(config, table),
    '',
  ].join('\n')
}

/** Of one table: what is read, with the row's version, and what is written. */
export function tableGrants(
  config: Pick<MappedConfig, 'relation' | 'poolMax'>,
  role: string,
  { read, written }: { read: readonly string[]; written: readonly string[] },
): string[] {
  const to = quoteIdentifier(role)
  const table = tableName(config)
  return [
    `CREATE ROLE ${to} LOGIN PASSWORD 'choose one' CONNECTION LIMIT ${config.poolMax + 1};`,
    `GRANT USAGE ON SCHEMA ${quoteIdentifier(config.relation.schema)} TO ${to};`,
    `GRANT SELECT (${list(read)}, xmin) ON ${table} TO ${to};`,
    ...(written.length > 0 ? [`GRANT UPDATE (${list(written)}) ON ${table} TO ${to};`] : []),
  ]
}

export const tableName = ({ relation: { schema, name } }: Pick<MappedConfig, 'relation'>): string =>
  `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`

function writtenColumns(config: MappedConfig): string[] {
  const { status, headers, body } = config.columns
  const response =
    config.complete === undefined && config.fail === undefined
      ? []
      : [status, headers, body].filter((name) => name !== undefined)
  const set = (['release', 'complete', 'fail'] as const).flatMap((verb) =>
    Object.keys(config[verb]?.set ?? {}),
  )
  return [...new Set([...set, ...response])]
}

const list = (columns: readonly string[]): string => columns.map(quoteIdentifier).join(', ')

/** Live keys are few and rows are many: without this index every look at them reads the whole table. */
function indexAdvice(config: MappedConfig, table: string): string[] {
  const { state } = config
  if (state.kind === 'finished') return []
  const [column, values] =
    state.kind === 'values'
      ? [state.column, [...state.completed, ...state.failed]]
      : [state.finished.column, state.finished.values]
  return [
    '-- Advised on a large table:',
    `-- CREATE INDEX CONCURRENTLY ON ${table} (${quoteIdentifier(config.columns.createdAt)})`,
    `--   WHERE ${quoteIdentifier(column)}::text <> ALL (${literal(values, 'text[]')});`,
  ]
}
