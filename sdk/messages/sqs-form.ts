/** How a message is written into an SQS message, and read out of it. */

type Written = {
  id: string
  topic: string
  key: string | null
  type: string
  headers: Readonly<Record<string, string>>
  payload: Uint8Array
}

const text = (value: string) => ({ DataType: 'String', StringValue: value })

/** All headers in one: SQS takes ten attributes. */
export const sqsAttributes = ({ id, topic, key, type, headers, payload }: Written) => ({
  'message-id': text(id),
  'message-topic': text(topic),
  'message-type': text(type),
  'message-headers': text(JSON.stringify(headers)),
  ...(key === null ? {} : { 'message-key': text(key) }),
  ...(isText(payload) ? {} : { 'message-encoding': text('base64') }),
})

export const sqsBody = ({ payload }: Pick<Written, 'payload'>): string =>
  Buffer.from(payload).toString(isText(payload) ? 'utf8' : 'base64')

/** SQS takes the characters of XML, and no empty body. */
function isText(payload: Uint8Array): boolean {
  if (payload.byteLength === 0) return false
  try {
    const decoded = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload)
    return /^[\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u.test(decoded)
  } catch {
    return false
  }
}
