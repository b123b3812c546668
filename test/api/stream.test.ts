import { afterAll, beforeAll, expect, test } from 'vitest'
import { GET } from '@/app/api/v1/stream/route'
import { bearer, type Console, createConsole, ORIGIN } from './console-fixture'

let console: Console
beforeAll(async () => {
  console = await createConsole()
})
afterAll(() => console.close())

const open = (signal: AbortSignal, headers: Record<string, string> = bearer(console.tokens.viewer)) =>
  GET(new Request(`${ORIGIN}/api/v1/stream`, { headers, signal }))

/** Reads until the text holds what is asked for; rejects when the stream ends before. */
async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, wanted: RegExp): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  while (!wanted.test(text)) {
    const { value, done } = await reader.read()
    if (done) throw new Error(`it ended after: ${text}`)
    text += decoder.decode(value, { stream: true })
  }
  return text
}

const readerOf = (answer: Response) => {
  if (answer.body === null) throw new Error('no body')
  return answer.body.getReader() as ReadableStreamDefaultReader<Uint8Array>
}

test('nobody may listen without a token', async () => {
  expect((await open(new AbortController().signal, {})).status).toBe(401)
})

test('what is notified is sent, to every reader, and only what is ours', async () => {
  const stop = new AbortController()
  const answers = await Promise.all([open(stop.signal), open(stop.signal)])
  for (const { headers } of answers) {
    expect(headers.get('content-type')).toContain('text/event-stream')
    expect(headers.get('cache-control')).toBe('no-cache, no-transform')
    expect(headers.get('x-accel-buffering')).toBe('no')
  }
  const readers = answers.map(readerOf)
  // A gap is told to those who wait when the database begins to listen: what is notified from then on arrives.
  const [first, second] = readers
  if (first === undefined || second === undefined) throw new Error('two were opened')
  await readUntil(first, /event: gap/)
  await readUntil(second, /open/)
  await console.db.pool.query(`SELECT pg_notify('idemscope', 'no json')`)
  await console.db.pool.query(`SELECT pg_notify('idemscope', '{"kind":"run","id":"run_1","secret":"x"}')`)
  const texts = await Promise.all(readers.map((reader) => readUntil(reader, /run_1/)))
  for (const text of texts) {
    expect(text).toContain('event: change\ndata: {"kind":"run","id":"run_1"}\n\n')
    expect(text).not.toContain('no json')
  }

  const connections = await console.db.pool.query(
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'idemscope-live' AND datname = current_database()`,
  )
  expect(connections.rows).toEqual([{ n: 1 }])
  stop.abort()
  for (const reader of readers) expect((await reader.read()).done).toBe(true)
  expect(console.app.live.size()).toBe(0)
})

test('a lost connection comes back, and readers are told of the gap', async () => {
  const stop = new AbortController()
  const reader = readerOf(await open(stop.signal))
  await readUntil(reader, /open/)
  await console.db.pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'idemscope-live' AND datname = current_database()`,
  )
  await readUntil(reader, /event: gap/)
  await console.db.pool.query(`SELECT pg_notify('idemscope', '{"kind":"locks"}')`)
  await readUntil(reader, /"kind":"locks"/)
  stop.abort()
})

test('the end of the process ends every stream at once', async () => {
  const reader = readerOf(await open(new AbortController().signal))
  await readUntil(reader, /open/)
  await console.app.live.close()
  await expect(readUntil(reader, /never/)).rejects.toThrow('it ended')
  // Who comes later is not kept waiting.
  await expect(readUntil(readerOf(await open(new AbortController().signal)), /never/)).rejects.toThrow(
    'it ended',
  )
})
