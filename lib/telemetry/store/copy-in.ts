import { once } from 'node:events'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'

/** Lines are handed over in pieces of about this size. */
const PIECE_CHARACTERS = 262_144

/** `COPY target FROM STDIN`; nothing is sent when there are no lines. Rejects as the statement does. */
export async function copyIn(client: pg.PoolClient, target: string, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return
  const stream = client.query(copyFrom(`COPY ${target} FROM STDIN`))
  const done = once(stream, 'finish')
  let piece = ''
  for (const line of lines) {
    piece += `${line}\n`
    if (piece.length < PIECE_CHARACTERS) continue
    if (!stream.write(piece)) await Promise.race([once(stream, 'drain'), done])
    piece = ''
  }
  stream.end(piece)
  await done
}
