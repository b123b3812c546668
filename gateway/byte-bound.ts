import { type Readable, Transform } from 'node:stream'

export type ByteBound = { stream: Readable; isExceeded(): boolean }

/** The same stream, which breaks when it is longer. */
export function boundBytes(source: Readable, bytesMax: number): ByteBound {
  let bytes = 0
  const stream = new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.byteLength
      if (bytes > bytesMax) done(new Error('the body is too large'))
      else done(null, chunk)
    },
  })
  source.pipe(stream)
  source.once('close', () => {
    if (!source.readableEnded) stream.destroy(new Error('the client went away while it was sending'))
  })
  source.once('error', (error) => stream.destroy(error))
  return { stream, isExceeded: () => bytes > bytesMax }
}
