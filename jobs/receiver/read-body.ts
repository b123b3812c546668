import type { IncomingMessage } from 'node:http'
import { createGunzip, createInflate, gunzipSync } from 'node:zlib'
import type { BudgetShare } from './budget'
import { busy, Refusal, tooMuch } from './refusal'

/** The same bound before and after decompression, so that a small body cannot become a large one. */
const BODY_BYTES_MAX = 20 * 1024 * 1024

/** So little is decompressed at once: to hand it to a thread, piece by piece, costs more than the work. */
const COMPRESSED_AT_ONCE_MAX = 256 * 1024
const INFLATED_AT_ONCE_MAX = 1024 * 1024
/** Four times zlib's own: a batch comes out in few pieces. */
const INFLATED_CHUNK_BYTES = 64 * 1024
const CODINGS = { identity: null, gzip: createGunzip, deflate: createInflate } as const

const tooLarge = () =>
  new Refusal(413, `The request is larger than ${BODY_BYTES_MAX} bytes, before or after decompression.`)

/** The decompressed body. Every byte is taken from `share` before it is kept. Throws Refusal. */
export async function readBody(request: IncomingMessage, share: BudgetShare): Promise<Buffer> {
  const coding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (!Object.hasOwn(CODINGS, coding)) {
    throw new Refusal(415, `Content-Encoding ${coding} is not supported.`, {
      'accept-encoding': 'gzip, deflate',
    })
  }
  const length = request.headers['content-length']
  if (Number(length ?? 0) > BODY_BYTES_MAX) throw tooLarge()
  const create = CODINGS[coding as keyof typeof CODINGS]
  if (create === null) return collect(chunksOf(request), share)
  const inflated = (compressed: Chunks) =>
    inflate(compressed, create({ chunkSize: INFLATED_CHUNK_BYTES }), share)
  const isLittle = length !== undefined && Number(length) <= COMPRESSED_AT_ONCE_MAX
  if (coding !== 'gzip' || !isLittle) return inflated(chunksOf(request))
  const compressed = await collect(chunksOf(request), share)
  return gunzipAtOnce(compressed, share) ?? inflated([compressed])
}

/** null: not so little as its end says, or damaged, as the stream will find. */
function gunzipAtOnce(compressed: Buffer, share: BudgetShare): Buffer | null {
  // The size is the last thing in a gzip member, modulo 2^32.
  const bytes = compressed.length < 4 ? 0 : compressed.readUInt32LE(compressed.length - 4)
  if (bytes > INFLATED_AT_ONCE_MAX) return null
  claim(share, bytes)
  try {
    return gunzipSync(compressed, { maxOutputLength: bytes + 1, chunkSize: bytes + 64 })
  } catch {
    return null
  }
}

type Chunks = AsyncIterable<Buffer> | Iterable<Buffer>

/** Leaving early must not destroy the request: its answer goes over the same socket. */
const chunksOf = (request: IncomingMessage): Chunks => request.iterator({ destroyOnReturn: false })

async function collect(source: Chunks, share: BudgetShare): Promise<Buffer> {
  const chunks: Buffer[] = []
  let total = 0
  for await (const chunk of source) {
    total += chunk.length
    if (total > BODY_BYTES_MAX) throw tooLarge()
    claim(share, chunk.length)
    chunks.push(chunk)
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, total)
}

function claim(share: BudgetShare, bytes: number): void {
  const room = share.grow(bytes)
  if (room === 'full') throw busy('The receiver holds as much as it may; try again.')
  if (room !== 'taken') throw tooMuch()
}

/** Streams through zlib: neither the compressed nor the decompressed form is held beyond its bound. */
async function inflate(
  source: Chunks,
  decoder: ReturnType<typeof createGunzip> | ReturnType<typeof createInflate>,
  share: BudgetShare,
): Promise<Buffer> {
  feed(source, decoder).catch((error: unknown) => {
    decoder.destroy(error instanceof Error ? error : new Error(String(error)))
  })
  try {
    return await collect(decoder, share)
  } catch (error) {
    if (isZlibError(error)) throw new Refusal(400, `The body does not decompress: ${error.message}.`)
    throw error
  } finally {
    decoder.destroy()
  }
}

/** Ends with the source, or as soon as nobody reads what is decoded. */
async function feed(source: Chunks, decoder: ReturnType<typeof createGunzip>): Promise<void> {
  let compressed = 0
  for await (const chunk of source) {
    compressed += chunk.length
    if (compressed > BODY_BYTES_MAX) throw tooLarge()
    if (decoder.destroyed) return
    if (!decoder.write(chunk)) await drained(decoder)
  }
  if (!decoder.destroyed) decoder.end()
}

function drained(decoder: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      decoder.off('drain', done)
      decoder.off('close', done)
      resolve()
    }
    decoder.on('drain', done)
    decoder.on('close', done)
  })
}

function isZlibError(error: unknown): error is Error {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
  )
}
