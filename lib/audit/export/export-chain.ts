import type { Context } from '@/lib/context'
import { auditRow } from '@/lib/core/audit-entry'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { readSeals, type Seal } from '../chain'
import { entryContent, GENESIS } from '../entry-hash'
import { HEAD_COLUMNS } from '../heads'
import type { SignedHead } from '../signing'

const HEADS = `
  SELECT ${HEAD_COLUMNS} FROM audit_head h WHERE h.seq BETWEEN $1 AND $2 ORDER BY h.seq`

const LAST = 'SELECT coalesce(max(seq), 0)::text AS seq FROM audit_seal'

const HASH = 'SELECT hash FROM audit_seal WHERE seq = $1'

/**
 * The chain as lines of JSON, with its signed heads: `npm run verify-audit` proves it without this system. From the seal
 * `from` on, up to what is sealed now. That somebody took it is audited before it is given out.
 */
export async function exportChain(ctx: Context, { from }: { from: number }): Promise<AsyncGenerator<string>> {
  authorise(ctx, 'audit.verify')
  const { rows } = await ctx.db.pool.query<{ seq: string }>(LAST)
  const through = BigInt(rows[0]?.seq ?? 0)
  if (BigInt(from) > through + 1n)
    throw new AppError('unprocessable', `The chain ends at seal ${through}: there is none from ${from} on.`)
  const after = { format: 'ndjson', from: String(from), through: String(through) }
  await ctx.db.prisma.auditEntry.create({
    data: auditRow(ctx, { verb: 'audit.export', subject: 'audit', outcome: 'done', after }),
  })
  return lines(ctx, BigInt(from), through)
}

async function* lines({ db }: Context, from: bigint, through: bigint): AsyncGenerator<string> {
  const { rows } = await db.pool.query<{ hash: Buffer }>(HASH, [from - 1n])
  const previous = (rows[0]?.hash ?? GENESIS).toString('hex')
  yield `${JSON.stringify({ kind: 'chain', version: 1, from: String(from), previous })}\n`
  let entries = 0
  for await (const seals of readSeals(db.pool, from - 1n, through)) {
    const { rows: heads } = await db.pool.query<SignedHead>(HEADS, [seals[0]?.seq, seals.at(-1)?.seq])
    const bySeq = new Map(heads.map((head) => [head.seq, head]))
    const batch = seals.flatMap((seal) => {
      const head = bySeq.get(seal.seq)
      return [entryLine(seal), ...(head === undefined ? [] : [headLine(head)])]
    })
    entries += seals.length
    yield [...batch, ''].join('\n')
  }
  yield `${JSON.stringify({ kind: 'end', entries })}\n`
}

const entryLine = (seal: Seal): string =>
  JSON.stringify({
    kind: 'entry',
    seq: seal.seq,
    hash: seal.hash.toString('hex'),
    entry: entryContent(seal),
  })

const headLine = ({ seq, hash, keyId, signature, signedAt }: SignedHead): string =>
  JSON.stringify({
    kind: 'head',
    seq,
    hash: hash.toString('hex'),
    keyId,
    signedAt: signedAt.toISOString(),
    signature: signature.toString('base64'),
  })
