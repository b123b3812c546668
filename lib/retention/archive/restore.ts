import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { append } from '@/lib/audit/append'
import type { Context, SystemContext } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { env } from '@/lib/env'
import type { ExpiredRow } from '@/lib/sources/contracts'
import { openIntentSource } from '@/lib/sources/registry'
import { parseLines } from './find'

const RESTORE_BATCH_ROWS = 500
const OUTPUT_BYTES_MAX = 2 * 1024 ** 3

/** An archive's rows, after its checksum was compared. Throws `unprocessable` when the file is not what was written. */
export async function readArchive(ctx: Pick<SystemContext, 'db'>, archiveId: string): Promise<ExpiredRow[]> {
  const archive = await ctx.db.prisma.archive.findUnique({ where: { id: archiveId } })
  if (archive === null) throw new AppError('not_found', `There is no archive ${archiveId}.`)
  const data = await readFile(join(env().IDEMSCOPE_DATA_DIR, 'archive', archive.sourceId, archive.file))
  if (createHash('sha256').update(data).digest('hex') !== archive.sha256)
    throw new AppError('unprocessable', `${archive.file} is not what was archived: its checksum differs.`)
  const rows = parseLines(await promisify(gunzip)(data, { maxOutputLength: OUTPUT_BYTES_MAX }))
  if (rows.length !== archive.rows)
    throw new AppError('unprocessable', `${archive.file} has ${rows.length} of ${archive.rows} rows.`)
  return rows
}

/**
 * Puts an archive's rows back where they came from; rows that are there stay as they are. Only of stores that are
 * collected row by row, and where the role may insert. Safe to repeat.
 */
export async function restoreArchive(
  ctx: Context,
  archiveId: string,
): Promise<{ rows: number; restored: number }> {
  authorise(ctx, 'source.manage')
  const rows = await readArchive(ctx, archiveId)
  const { sourceId } = await ctx.db.prisma.archive.findUniqueOrThrow({ where: { id: archiveId } })
  const { source, name } = await openIntentSource(ctx, sourceId)
  const collection = source.rowCollection
  if (collection === undefined)
    throw new AppError(
      'unprocessable',
      `${name} drops partitions: restore its archive with the SQL of restoreSql.`,
    )
  let restored = 0
  for (let start = 0; start < rows.length; start += RESTORE_BATCH_ROWS)
    restored += await collection.restoreRows(rows.slice(start, start + RESTORE_BATCH_ROWS))
  await ctx.db.prisma.$transaction((tx) =>
    append(tx, ctx, {
      verb: 'retention.restore',
      subject: archiveId,
      outcome: 'done',
      after: { rows: rows.length, restored },
    }),
  )
  return { rows: rows.length, restored }
}

/** SQL that puts a native archive into a table of its own, for whoever owns the store to run. That it was taken is audited. */
export async function restoreSql(ctx: Context, archiveId: string): Promise<string> {
  authorise(ctx, 'source.manage')
  const rows = await readArchive(ctx, archiveId)
  await ctx.db.prisma.$transaction((tx) =>
    append(tx, ctx, {
      verb: 'retention.restore_sql',
      subject: archiveId,
      outcome: 'done',
      after: { rows: rows.length },
    }),
  )
  const table = `idem_restored_${archiveId.replace('arc_', '').slice(0, 12)}`
  const json = JSON.stringify(rows.map(({ row }) => row))
  const tag = `$idem_${createHash('sha256').update(json).digest('hex').slice(0, 8)}$`
  return [
    `CREATE TABLE ${table} AS SELECT r.*, NULL::jsonb AS headers, NULL::bytea AS body, NULL::jsonb AS effects FROM idem_record r LIMIT 0;`,
    `INSERT INTO ${table} SELECT * FROM jsonb_populate_recordset(NULL::${table}, ${tag}${json}${tag}::jsonb);`,
    '',
  ].join('\n')
}
