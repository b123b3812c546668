import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import { AppError } from '@/lib/core/errors'
import { publicUrl } from '@/lib/env'
import { readBody } from '@/sdk/responses/body'
import { ownOrigins } from '../auth'
import { tokenContext } from '../context'
import { respond } from '../respond'
import { services } from '../services'
import { createMcpServer } from './server'
import { toToolContext } from './tool'

/** A call is an id and a range; nothing longer is asked. */
const BODY_BYTES_MAX = 65_536
const BODY_MS_MAX = 10_000

/** One message of the Model Context Protocol: streamable HTTP without a session, answered in JSON. */
export const serveMcp = (request: Request): Promise<Response> =>
  respond(request, async (requestId) => {
    const app = services()
    assertNoOtherOrigin(request, ownOrigins(app.settings))
    const ctx = await tokenContext(request, requestId)
    app.takeMcpRequest(ctx.actor.tokenId)
    const parsedBody = await readMessage(request)
    const server = createMcpServer(toToolContext(ctx, new URL(publicUrl(app.settings)).origin))
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true })
    await server.connect(transport)
    try {
      return await transport.handleRequest(request, { parsedBody })
    } finally {
      await server.close()
    }
  })

/** A page of another site that has our address by DNS rebinding still says its own origin. Programs say none. */
function assertNoOtherOrigin(request: Request, own: readonly string[]): void {
  const origin = request.headers.get('origin')
  if (origin === null || own.includes(origin)) return
  throw new AppError(
    'forbidden',
    'Pages of other sites may not ask here. Connect from a program, without Origin.',
    {
      meta: { reason: 'cross_site' },
    },
  )
}

/** One message a request, so that a request of the limit is one call. */
async function readMessage(request: Request): Promise<unknown> {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(BODY_MS_MAX)])
  const body = await readBody(request, BODY_BYTES_MAX, signal)
  if (body === null)
    throw new AppError(
      'too_large',
      `A message has at most ${BODY_BYTES_MAX} bytes. Ask for one id or one range.`,
    )
  const message = parseJson(new TextDecoder().decode(body))
  if (Array.isArray(message))
    throw new AppError('invalid', 'Send one message a request: batches are not taken.')
  return message
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AppError('invalid', 'The body is not JSON. Send one JSON-RPC message.', { cause })
  }
}
