/** The whole body, or null as soon as it is over the bound. */
export async function readBody(
  source: Request | Response,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (source.body === null) return new Uint8Array()
  const declared = Number(source.headers.get('content-length') ?? 0)
  if (source instanceof Request && declared > bytesMax) return null

  const chunks: Uint8Array[] = []
  let length = 0
  const reader: ReadableStreamDefaultReader<Uint8Array> = source.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    length += value.byteLength
    if (length > bytesMax) {
      await reader.cancel()
      return null
    }
    chunks.push(value)
  }
  const body = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.byteLength
  }
  return body
}
