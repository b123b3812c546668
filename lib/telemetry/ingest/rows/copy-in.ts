import type pg from 'pg'

/** `pieces`: rows as RowWriter wrote them, of the columns that `target` names. */
export type Copy = { target: string; pieces: readonly Buffer[] }

/** Signature, flags and extension of COPY's binary format; and its end. */
const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
const TRAILER = Buffer.from([0xff, 0xff])
const COPY_DATA = 0x64
const COPY_DONE = 0x63

/**
 * `COPY target FROM STDIN` of each in turn, inside the client's transaction and in one round trip; nothing is sent for
 * those without rows. Rejects as the first statement that fails.
 */
export function copyIn(client: pg.PoolClient, copies: readonly Copy[]): Promise<void> {
  const filled = copies.filter(({ pieces }) => pieces.length > 0)
  if (filled.length === 0) return Promise.resolve()
  return new Promise((resolve, reject) => {
    client.query({
      submit: (connection: pg.Connection) => send(connection, filled),
      handleCopyInResponse() {},
      handleCommandComplete() {},
      handleError: reject,
      handleReadyForQuery: () => resolve(),
    })
  })
}

/**
 * The statements as one query, and their rows right behind it: the engine works on without waiting for this process,
 * which may be decoding. After an error it passes over what is still on its way.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
 */
function send(connection: pg.Connection, copies: readonly Copy[]): Error | null {
  const { stream } = connection
  if (!stream.writable) return new Error('the connection to the database is closed')
  stream.cork()
  connection.query(copies.map(({ target }) => `COPY ${target} FROM STDIN (FORMAT binary)`).join(';'))
  for (const { pieces } of copies) {
    for (const piece of [HEADER, ...pieces, TRAILER]) {
      stream.write(message(COPY_DATA, piece.length))
      stream.write(piece)
    }
    stream.write(message(COPY_DONE, 0))
  }
  stream.uncork()
  return null
}

/** The type and the length of a message, which counts itself. */
function message(type: number, bytes: number): Buffer {
  const head = Buffer.allocUnsafe(5)
  head[0] = type
  head.writeUInt32BE(bytes + 4, 1)
  return head
}
