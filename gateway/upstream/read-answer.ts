import { WholeResponse } from '@/sdk/responses/whole-response'
import { AnswerLostError } from './errors'
import { answerHeaders } from './headers'
import type { UpstreamAnswer } from './upstream'

const NULL_BODY_STATUSES = new Set([204, 205, 304])

/** The whole answer, byte for byte as it came; `too_large` when its body is over the bound. Throws AnswerLostError. */
export async function readAnswer(
  { head, settle, timedOut }: UpstreamAnswer,
  bytesMax: number,
): Promise<Response | { kind: 'too_large'; status: number }> {
  const status = head.statusCode ?? 0
  const chunks: Buffer[] = []
  let bodyBytes = 0
  try {
    for await (const chunk of head as AsyncIterable<Buffer>) {
      bodyBytes += chunk.byteLength
      if (bodyBytes > bytesMax) {
        head.destroy()
        return { kind: 'too_large', status }
      }
      chunks.push(chunk)
    }
    if (!head.complete) throw new Error('the connection ended within the answer')
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new AnswerLostError(
      message,
      'answering',
      { timedOut: timedOut(), status, bodyBytes },
      { cause: error },
    )
  } finally {
    settle()
  }
  try {
    const body = NULL_BODY_STATUSES.has(status) ? Buffer.alloc(0) : Buffer.concat(chunks, bodyBytes)
    const headers = new Headers()
    const raw = answerHeaders(head)
    for (let at = 0; at + 1 < raw.length; at += 2) headers.append(raw[at] ?? '', raw[at + 1] ?? '')
    return new WholeResponse(body, { status, statusText: head.statusMessage ?? '', headers })
  } catch (error) {
    throw new AnswerLostError('the answer is not usable', 'unusable_answer', { status }, { cause: error })
  }
}
