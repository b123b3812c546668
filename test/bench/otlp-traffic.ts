import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { encodeRequest } from '../telemetry/oracle'

export type IngestCase = 'all-keyed' | 'third-keyed'
export const BATCH_SPANS = 512
/** from one batch of an exporter to its next; its spans start 1 ms after one another */
export const BATCH_MS = 500

const SERVICES = ['payments', 'refunds', 'orders', 'payouts'] as const
const CALLERS = ['web', 'mobile', 'partner'] as const
const ROUTES = ['/v1/payments', '/v1/refunds', '/v1/orders'] as const
/** Of ten keyed requests one comes again in the same batch, of fifty one in the next: far more than M1's target. */
const REPEATED = 10
const REPEATED_LATER = 50
const TTL_MS = 86_400_000

const id = (seed: string, bytes: number) => createHash('sha256').update(seed).digest().subarray(0, bytes)
const text = (key: string, stringValue: string) => ({ key, value: { stringValue } })
const integer = (key: string, intValue: number) => ({ key, value: { intValue } })

/**
 * One gzip protobuf body of 512 spans with about 12 attributes each. all-keyed: every span is a keyed request.
 * third-keyed: traces of three: a keyed request, its effect, and an internal span.
 */
export function encodeBatch(
  kind: IngestCase,
  { exporter, batch, atMs }: { exporter: number; batch: number; atMs: number },
): Buffer {
  const service = SERVICES[exporter % SERVICES.length] ?? 'payments'
  const spans = Array.from({ length: BATCH_SPANS }, (_, index) => {
    const startMs = atMs + index
    if (kind === 'all-keyed') return requestOf(`${kind}/${exporter}/${batch}/${index}`, index, startMs)
    const trace = `${kind}/${exporter}/${batch}/${Math.floor(index / 3)}`
    if (index % 3 === 0) return requestOf(trace, Math.floor(index / 3), startMs)
    return index % 3 === 1 ? effectOf(trace, Math.floor(index / 3), startMs) : internalOf(trace, startMs)
  })
  const resource = {
    attributes: [
      text('service.name', service),
      text('service.version', '1.4.2'),
      text('service.instance.id', `${service}-7c9f-${exporter}`),
      text('deployment.environment.name', 'production'),
      text('cloud.region', 'eu-central-1'),
    ],
  }
  return gzipSync(encodeRequest({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }), { level: 6 })
}

const nanos = (ms: number) => `${ms}000000`

function span(trace: string, role: string, startMs: number, kind: number, attributes: object[]) {
  return {
    traceId: id(`trace ${trace}`, 16),
    spanId: id(`${role} ${trace}`, 8),
    name: role,
    kind,
    startTimeUnixNano: nanos(startMs),
    endTimeUnixNano: nanos(startMs + 20),
    attributes,
    status: { code: 1 },
  }
}

const scopeOf = (index: number) => `${CALLERS[index % 3]}/POST ${ROUTES[Math.floor(index / 3) % 3]}`

/** Which request's key this one carries: its own, that of the one before it, or one of the batch before. */
function keyOf(
  trace: string,
  index: number,
): { key: string; scope: string; repeated: boolean; agoMs: number } {
  const [kind, exporter, batch] = trace.split('/')
  const own = (ofBatch: number, ofIndex: number, repeated: boolean) => ({
    agoMs: (Number(batch) - ofBatch) * BATCH_MS + (index - ofIndex) * (kind === 'all-keyed' ? 1 : 3),
    key: id(`key ${kind}/${exporter}/${ofBatch}/${ofIndex}`, 16).toString('hex'),
    scope: scopeOf(ofIndex),
    repeated,
  })
  if (index % REPEATED === 1) return own(Number(batch), index - 1, true)
  if (index % REPEATED_LATER === 2 && Number(batch) > 0) return own(Number(batch) - 1, index + 1, true)
  return own(Number(batch), index, false)
}

function requestOf(trace: string, index: number, startMs: number) {
  const { key, scope, repeated, agoMs } = keyOf(trace, index)
  // A replay reads the record that the first request made.
  const createdMs = startMs - agoMs
  return span(trace, 'POST /v1/payments', startMs, 2, [
    text('idempotency.key.hash', key),
    text('idempotency.scope.name', scope),
    text('idempotency.store.system', 'postgresql'),
    text('idempotency.outcome', repeated ? 'replayed' : 'executed'),
    text('idempotency.record.state', 'completed'),
    text('idempotency.record.created_at', new Date(createdMs).toISOString()),
    text('idempotency.record.expires_at', new Date(createdMs + TTL_MS).toISOString()),
    integer('idempotency.lock.fence', createdMs),
    integer('idempotency.store.operations', 2),
    text('http.request.method', 'POST'),
    text('http.route', '/v1/payments'),
    integer('http.response.status_code', 201),
  ])
}

function effectOf(trace: string, index: number, startMs: number) {
  const { key, repeated } = keyOf(trace, index)
  // A replay has no effect: it reads the record.
  if (repeated) return internalOf(`${trace} record`, startMs)
  return span(trace, 'charge', startMs, 3, [
    text('idempotency.effect.name', 'stripe.charge'),
    text('idempotency.effect.step', 'charge'),
    text('idempotency.effect.kind', 'http'),
    text('idempotency.effect.id', `ch_${key}`),
    text('idempotency.effect.key.hash', key),
    text('idempotency.effect.outcome', 'committed'),
    integer('idempotency.effect.amount', 1050),
    text('idempotency.effect.currency', 'usd'),
    text('http.request.method', 'POST'),
    text('server.address', 'api.stripe.com'),
    integer('server.port', 443),
    integer('http.response.status_code', 200),
  ])
}

function internalOf(trace: string, startMs: number) {
  return span(trace, 'SELECT payments.order', startMs, 3, [
    text('db.system.name', 'postgresql'),
    text('db.namespace', 'payments'),
    text('db.operation.name', 'SELECT'),
    text('db.collection.name', 'order'),
    text('db.query.text', 'SELECT id, amount, currency, status FROM order WHERE id = $1'),
    text('server.address', 'db.internal'),
    integer('server.port', 5432),
    text('network.peer.address', '10.4.7.21'),
    integer('network.peer.port', 5432),
    text('code.function.name', 'loadOrder'),
    text('thread.name', 'main'),
    integer('db.response.returned_rows', 1),
  ])
}
