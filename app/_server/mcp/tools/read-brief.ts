import { readNow } from '@/lib/alerts/now/read-now'
import { buildVerdict, type Piece } from '@/lib/alerts/now/verdict'
import { readFiring } from '@/lib/alerts/read-firing'
import { readFreshness } from '@/lib/telemetry/read/freshness'
import type { ToolContext } from '../tool'

/** What Now says of a range, and its verdict as text. */
export async function readBrief(ctx: ToolContext, range: { from: Date; to: Date }) {
  const now = ctx.clock.now()
  const data = await readNow(ctx, {
    range,
    now,
    service: null,
    freshness: readFreshness(ctx.db, now),
    conditions: readFiring(ctx.db, now),
  })
  const { tone, lead, rest, about } = buildVerdict(data)
  return { now, data, tone, sentences: [pieceText([...lead, ...rest]), ...about.map(pieceText)] }
}

const pieceText = (pieces: readonly Piece[]): string =>
  pieces.map((piece) => (typeof piece === 'string' ? piece : piece.at)).join('')
