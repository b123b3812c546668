import { createHash } from 'node:crypto'

/** The identity of a break: its class is no part of it. `REHOME` computes the same in SQL. */
export const breakId = (system: string, operationId: bigint, aspect: string, objectId: string): string =>
  createHash('sha256').update([system, operationId, aspect, objectId].join('\u001f')).digest('hex')

export const BREAK_ID_SQL = (operation: string): string =>
  `encode(sha256(convert_to(concat_ws(chr(31), c.system, ${operation}, c.aspect, c.object_id), 'UTF8')), 'hex')`
