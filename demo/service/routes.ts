import type { PoolClient } from 'pg'
import { idempotent } from '../../sdk/idempotent'
import type { IdempotentOptions } from '../../sdk/run/options'
import type { Store } from '../../sdk/stores/store'
import { problem } from './answers'
import { findCaller } from './callers'
import { capturePayment } from './routes/capture-payment'
import { createPayment } from './routes/create-payment'
import { createLegacyPayment } from './routes/legacy-payment'
import { readPayment } from './routes/read-payment'
import { refundPayment } from './routes/refund-payment'
import type { PaymentContext, Service } from './service'
import { tiers } from './tiers'

export interface Route {
  readonly method: 'GET' | 'POST'
  /** As in the scope and in telemetry. */
  readonly template: string
  readonly handle: (request: Request) => Promise<Response>
}

export interface RouteSettings {
  readonly store: Store<PoolClient>
  readonly keySecret: string
  readonly owner: string
}

/** The demo's lease is short, so that its faults are seen within seconds. */
const leases = { leaseMs: 5000, heartbeatMs: 1500, executionDeadlineMs: 8000 } as const

type Handler = (request: Request, ctx: PaymentContext, id: string) => Promise<Response>

/** The routes of a store, all of which begin with its prefix. */
export function createRoutes(service: Service, settings: RouteSettings, prefix: string): readonly Route[] {
  const keyed = (
    path: string,
    handler: Handler,
    options: Pick<IdempotentOptions<PoolClient>, 'tier' | 'failMode'> = {},
  ): Route => {
    const template = prefix + path
    return {
      method: 'POST',
      template,
      // A handler may outlive its answer: the deadline answers 503 while it still runs.
      handle: idempotent<PoolClient>(
        (request, ctx) => service.inFlight.run(() => handler(request, ctx, idIn(template, request))),
        {
          ...settings,
          ...leases,
          tier: tiers.payments.name,
          ...options,
          scope: (request) => {
            const caller = findCaller(request)
            return caller === undefined ? problem(401, 'Unknown API key') : { caller, route: template }
          },
        },
      ),
    }
  }
  const read = readPayment(service)
  const readTemplate = `${prefix}/v1/payments/{id}`
  return [
    keyed('/v1/payments', createPayment(service)),
    keyed('/v1/payments/{id}/capture', capturePayment(service)),
    keyed('/v1/payments/{id}/refunds', refundPayment(service)),
    keyed('/v1/quick-payments', createPayment(service), { tier: tiers.quick.name }),
    keyed('/v1/legacy-payments', createLegacyPayment(service)),
    keyed('/v1/express-payments', createPayment(service), { failMode: 'open' }),
    {
      method: 'GET',
      template: readTemplate,
      handle: async (request) =>
        findCaller(request) === undefined
          ? problem(401, 'Unknown API key')
          : read(request, idIn(readTemplate, request)),
    },
  ]
}

export function matches(template: string, pathname: string): boolean {
  const wanted = template.split('/')
  const parts = pathname.split('/')
  return wanted.length === parts.length && wanted.every((part, at) => part === '{id}' || part === parts[at])
}

function idIn(template: string, request: Request): string {
  const at = template.split('/').indexOf('{id}')
  return new URL(request.url).pathname.split('/')[at] ?? ''
}
