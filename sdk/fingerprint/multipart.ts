/**
 * Headers and content of each part, in order: all that the parts say, whatever the boundary was. Null when the body is
 * not exactly what RFC 2046 describes, or has text outside its parts: other readers may then see other parts.
 */
export function splitMultipart(bytes: Uint8Array, boundary: string): Uint8Array[] | null {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
  let at = delimiter.byteLength - 2
  if (boundary === '' || !body.subarray(0, at).equals(delimiter.subarray(2))) return null

  const pieces: Uint8Array[] = []
  while (!isText(body, at, '--')) {
    const headersEnd = body.indexOf('\r\n\r\n', at)
    const partEnd = body.indexOf(delimiter, at)
    if (!isText(body, at, '\r\n') || headersEnd === -1 || headersEnd + 4 > partEnd) return null
    pieces.push(body.subarray(at, headersEnd), body.subarray(headersEnd + 4, partEnd))
    at = partEnd + delimiter.byteLength
  }
  const epilogue = body.toString('latin1', at + 2)
  return epilogue === '' || epilogue === '\r\n' ? pieces : null
}

const isText = (body: Buffer, at: number, text: string): boolean =>
  body.toString('latin1', at, at + text.length) === text
