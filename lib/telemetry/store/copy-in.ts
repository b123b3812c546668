import { once } from 'node:events'
import { setImmediate as otherWork } from 'node:timers/promises'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'

/** Lines are handed over in pieces of about this size: the engine takes one in while the next is made. */
export const PIECE_CHARACTERS = 65_536

/**
 * `COPY target FROM STDIN` of whole lines, or of many of them as bytes; nothing is sent when there are none. Rejects as
 * the statement does. Between pieces other work of this process has its turn: a connection that waits for its next
 * statement is an idle processor.
 */
export async function copyIn(
  client: pg.PoolClient,
  target: string,
  lines: Iterable<string | Buffer>,
): Promise<void> {
  const pieces = piecesOf(lines)
  let next = pieces.next()
  if (next.done === true) return
  const stream = client.query(copyFrom(`COPY ${target} FROM STDIN`))
  const done = once(stream, 'finish')
  for (; next.done !== true; next = pieces.next()) {
    if (!stream.write(next.value)) await Promise.race([once(stream, 'drain'), done])
    await otherWork()
  }
  stream.end()
  await done
}

function* piecesOf(lines: Iterable<string | Buffer>): Generator<string | Buffer, undefined> {
  let piece = ''
  for (const line of lines) {
    if (typeof line !== 'string') yield line
    else {
      piece += line
      if (piece.length < PIECE_CHARACTERS) continue
      yield piece
      piece = ''
    }
  }
  if (piece !== '') yield piece
}
