import { abortAfter } from '../clock'
import { IdempotencyUsageError } from '../errors'
import { readBody } from '../responses/body'
import { problemResponse } from '../responses/problem'
import type { Settings } from '../run/options'

/** Nothing is leased yet, but a slow upload may not take longer than the handler could. */
export async function readWholeBody<Tx>(
  request: Request,
  { clock, bodyBytesMax, executionDeadlineMs }: Settings<Tx>,
): Promise<Uint8Array<ArrayBuffer> | Response> {
  if (request.bodyUsed || request.body?.locked) throw unseenBody('was read before')
  const declared = Number(request.headers.get('content-length'))
  if (declared > bodyBytesMax) return problemResponse('tooLarge')
  const upload = abortAfter(clock, executionDeadlineMs, new Error('the body did not arrive in time'))
  try {
    const body = await readBody(request, bodyBytesMax, upload.signal)
    if (body === null) return problemResponse('tooLarge')
    if (declared > 0 && body.byteLength === 0) throw unseenBody('is missing, though it has a length')
    return body
  } catch (error) {
    if (error === upload.signal.reason) return problemResponse('bodyTimeout')
    throw error
  } finally {
    upload.cancel()
  }
}

const unseenBody = (why: string) =>
  new IdempotencyUsageError(
    `the request's body ${why}, so it cannot be compared with a retry's: let nothing read the request before this ` +
      'handler, or read request.clone()',
  )
