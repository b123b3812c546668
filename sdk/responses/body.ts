/**
 * The whole body, or null as soon as it is over the bound. Rejects with the signal's reason when that comes first; the
 * stream is cancelled then, so that a body that stalls holds nothing.
 */
export async function readBody(
  source: { readonly body: ReadableStream<Uint8Array> | null },
  bytesMax: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (source.body === null) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let length = 0
  const reader = source.body.getReader()
  // Nobody reads on: how the sender ends does not matter.
  const cancel = () => reader.cancel(signal.reason).catch(() => {})
  signal.addEventListener('abort', cancel, { once: true })
  try {
    for (;;) {
      signal.throwIfAborted()
      const { done, value } = await reader.read()
      // A cancelled stream says "done".
      signal.throwIfAborted()
      if (done) return join(chunks, length)
      if (!ArrayBuffer.isView(value)) throw new TypeError('a body must be a stream of bytes (Uint8Array)')
      length += value.byteLength
      if (length > bytesMax) {
        void cancel()
        return null
      }
      chunks.push(value)
    }
  } catch (error) {
    void cancel()
    throw error
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.byteLength
  }
  return body
}
