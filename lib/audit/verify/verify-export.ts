import { z } from 'zod'
import { contentHash, GENESIS } from '../entry-hash'
import { checkSignature, type PublicKey } from '../signing'

const seq = z.string().regex(/^\d{1,19}$/)
const hash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((hex) => Buffer.from(hex, 'hex'))
const lineSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('chain'), version: z.literal(1), from: seq, previous: hash }),
  z.object({ kind: z.literal('entry'), seq, hash, entry: z.record(z.string(), z.unknown()) }),
  z.object({
    kind: z.literal('head'),
    seq,
    hash,
    keyId: z.string(),
    signedAt: z.iso.datetime().transform((at) => new Date(at)),
    signature: z.base64().transform((text) => Buffer.from(text, 'base64')),
  }),
  z.object({ kind: z.literal('end'), entries: z.int() }),
])
type Line = z.infer<typeof lineSchema>

export type ExportReport = {
  ok: boolean
  entries: number
  from: string | null
  /** The last head that one of the keys signed: up to it the entries are proved. */
  signed: { seq: string; at: string; keyId: string } | null
  /** Entries after it: chained, and not signed yet. */
  unsigned: number
  /** The first line that does not hold. */
  fault: { line: number; why: string } | null
}

type State = ExportReport & { last: bigint; hash: Buffer; ended: boolean }

/** Proves an export of the chain with public keys alone: each entry follows the one before, and the heads are signed. */
export async function verifyExport(
  lines: AsyncIterable<string>,
  keys: readonly PublicKey[],
): Promise<ExportReport> {
  const state: State = {
    ok: false,
    entries: 0,
    from: null,
    signed: null,
    unsigned: 0,
    fault: null,
    last: 0n,
    hash: GENESIS,
    ended: false,
  }
  let number = 0
  for await (const text of lines) {
    number += 1
    if (text === '') continue
    const why = take(state, text, keys)
    if (why !== null) return report({ ...state, fault: { line: number, why } })
  }
  const why = !state.ended
    ? 'the file has no end: it was cut off'
    : state.signed === null
      ? 'no head in it is signed with a key that was given'
      : null
  return report({ ...state, fault: why === null ? null : { line: number, why } })
}

const report = ({ entries, from, signed, unsigned, fault }: State): ExportReport => ({
  ok: fault === null,
  entries,
  from,
  signed,
  unsigned,
  fault,
})

/** Why a line does not hold; null = it does, and the state has moved on. */
function take(state: State, text: string, keys: readonly PublicKey[]): string | null {
  const line = parse(text)
  if (line === null) return 'it is no line of such an export'
  if (state.ended) return 'it comes after the end'
  if (line.kind !== 'chain' && state.from === null) return 'the file has no beginning'
  switch (line.kind) {
    case 'chain':
      return begin(state, line)
    case 'entry':
      return follow(state, line)
    case 'head':
      return checkHead(state, line, keys)
    case 'end':
      state.ended = true
      return line.entries === state.entries
        ? null
        : `it counts ${line.entries} entries, and there are ${state.entries}`
  }
}

function parse(text: string): Line | null {
  try {
    return lineSchema.parse(JSON.parse(text))
  } catch {
    // Not JSON, or another shape.
    return null
  }
}

function begin(state: State, line: Extract<Line, { kind: 'chain' }>): string | null {
  if (state.from !== null) return 'it begins a second time'
  if (line.from === '1' && !line.previous.equals(GENESIS)) return 'the first entry has none before it'
  state.from = line.from
  state.last = BigInt(line.from) - 1n
  state.hash = line.previous
  return null
}

function follow(state: State, line: Extract<Line, { kind: 'entry' }>): string | null {
  if (BigInt(line.seq) !== state.last + 1n) return `a seal is missing before ${line.seq}`
  if (!contentHash(state.hash, line.entry).equals(line.hash))
    return `seal ${line.seq}: the entry is not what was sealed`
  state.last = BigInt(line.seq)
  state.hash = line.hash
  state.entries += 1
  state.unsigned += 1
  return null
}

function checkHead(
  state: State,
  { seq, hash, keyId, signedAt, signature }: Extract<Line, { kind: 'head' }>,
  keys: readonly PublicKey[],
): string | null {
  if (BigInt(seq) !== state.last || !hash.equals(state.hash)) return `the head ${seq} is of another chain`
  switch (checkSignature({ seq, hash, signedAt, keyId, signature }, keys)) {
    case 'valid':
      state.signed = { seq, at: signedAt.toISOString(), keyId }
      state.unsigned = 0
      return null
    case 'invalid':
      return `the signature of the head ${seq} is not valid`
    case 'unknown_key':
      // Of an earlier key, perhaps: a later head with a key that was given proves what is before it.
      return null
  }
}
