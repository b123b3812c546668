import { literal, quoteIdentifier } from '../mapped/bind'
import { tableGrants, tableName } from '../mapped/role-sql'
import { type MappedOutboxConfig, namedColumns, writtenColumns } from './config'

/** Least privilege, column by column; comments name the index that counting what is unsent wants. */
export function mappedOutboxGrants(config: MappedOutboxConfig, role: string): string {
  return [
    ...tableGrants(config, role, { read: namedColumns(config), written: writtenColumns(config) }),
    ...indexAdvice(config),
    '',
  ].join('\n')
}

/** Unsent rows are few and sent ones many: without an index every look reads the whole table. */
function indexAdvice(config: MappedOutboxConfig): string[] {
  const { state, columns } = config
  const condition =
    state.kind === 'marker'
      ? `${quoteIdentifier(state.sentAt)} IS NULL`
      : state.kind === 'values'
        ? `${quoteIdentifier(state.column)}::text <> ALL (${literal([...state.sent, ...state.discarded], 'text[]')})`
        : null
  if (condition === null) return []
  return [
    '-- Advised on a large table:',
    `-- CREATE INDEX CONCURRENTLY ON ${tableName(config)} (${quoteIdentifier(columns.createdAt ?? columns.id)})`,
    `--   WHERE ${condition};`,
  ]
}
