import { once } from 'node:events'
import { setImmediate as otherWork } from 'node:timers/promises'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'

/** Signature, flags and extension of COPY's binary format; and its end. */
const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
const TRAILER = Buffer.from([0xff, 0xff])

/**
 * `COPY target FROM STDIN` of what RowWriter wrote; nothing is sent when there is none. Rejects as the statement does.
 * Between pieces other work of this process has its turn: a connection that waits for its next statement is an idle
 * processor.
 */
export async function copyIn(client: pg.PoolClient, target: string, pieces: Iterable<Buffer>): Promise<void> {
  const left = pieces[Symbol.iterator]()
  let next = left.next()
  if (next.done === true) return
  const stream = client.query(copyFrom(`COPY ${target} FROM STDIN (FORMAT binary)`))
  const done = once(stream, 'finish')
  stream.write(HEADER)
  for (; next.done !== true; next = left.next()) {
    if (!stream.write(next.value)) await Promise.race([once(stream, 'drain'), done])
    await otherWork()
  }
  stream.end(TRAILER)
  await done
}
