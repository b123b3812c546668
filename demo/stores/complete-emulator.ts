import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import emulated from 'dynalite/db/index.js'

/**
 * dynalite ignores ReturnValuesOnConditionCheckFailure. Its check runs while the item is locked, so what is added there is
 * what DynamoDB would answer. Tables for which `isBare` holds get no item. Once a process.
 */
export function answerItemsOfFailedConditions(isBare: (tableName: string) => boolean = () => false): void {
  const { checkConditional } = emulated
  emulated.checkConditional = (request, item) => {
    const failure = checkConditional(request, item)
    if (failure && item && !isBare(request.TableName)) failure.body.Item = item
    return failure
  }
}

/** What was asked for. */
export interface Asked {
  readonly operation: string
  readonly body: Record<string, unknown>
}

export function readAsked(incoming: IncomingMessage, bytes: Buffer): Asked {
  return {
    operation: String(incoming.headers['x-amz-target']).split('.')[1] ?? '',
    body: JSON.parse(bytes.toString() || '{}') as Record<string, unknown>,
  }
}

/** Gives a request to the emulator, whose body has been read. */
export function passOn(
  emulator: Server,
  { headers, method, url, socket }: IncomingMessage,
  bytes: Buffer,
  outgoing: ServerResponse,
): void {
  const again = Object.assign(Readable.from([bytes]), { headers, method, url, socket }) as IncomingMessage
  emulator.emit('request', again, outgoing)
}

/** dynalite knows of a table's TTL only that it is off. It deletes nothing either way, and nothing may rely on that. */
export function answerTtl(
  { operation, body }: Asked,
  ttl: Map<unknown, unknown>,
  outgoing: ServerResponse,
): boolean {
  if (operation === 'UpdateTimeToLive') {
    const { TimeToLiveSpecification } = body as { TimeToLiveSpecification: { AttributeName: string } }
    ttl.set(body.TableName, TimeToLiveSpecification.AttributeName)
    answerJson(outgoing, 200, { TimeToLiveSpecification })
    return true
  }
  if (operation !== 'DescribeTimeToLive' || !ttl.has(body.TableName)) return false
  const AttributeName = ttl.get(body.TableName)
  answerJson(outgoing, 200, { TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName } })
  return true
}

export function answerJson(outgoing: ServerResponse, status: number, body: unknown): void {
  outgoing.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'emulator' })
  outgoing.end(JSON.stringify(body))
}
