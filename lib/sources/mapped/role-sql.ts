import { literal, quoteIdentifier } from './bind'
import { type MappedConfig, mappedColumns } from './config'

/**
 * Least privilege, column by column: read what is mapped, change what the verbs write, delete only where collection is
 * switched on. Comments name the index that the reading of live keys wants.
 */
export function roleSql(config: MappedConfig, role: string): string {
  const to = quoteIdentifier(role)
  const table = `${quoteIdentifier(config.relation.schema)}.${quoteIdentifier(config.relation.name)}`
  const written = writtenColumns(config)
  return [
    `CREATE ROLE ${to} LOGIN PASSWORD 'choose one' CONNECTION LIMIT ${config.poolMax + 1};`,
    `GRANT USAGE ON SCHEMA ${quoteIdentifier(config.relation.schema)} TO ${to};`,
    `GRANT SELECT (${list(mappedColumns(config))}, xmin) ON ${table} TO ${to};`,
    ...(written.length > 0 ? [`GRANT UPDATE (${list(written)}) ON ${table} TO ${to};`] : []),
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
