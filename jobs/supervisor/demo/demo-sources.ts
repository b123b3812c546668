import { systemClock } from '@/lib/core/clock'
import type { Db } from '@/lib/db'
import { type SaveSource, saveSource } from '@/lib/sources/save'
import type { DatabaseUrls } from '../provision'
import type { Secrets } from '../secrets'

/** What the service's payment routes answer, so that a stuck key can be completed with the provider's charge. */
const PAYMENT_CREATED = {
  status: 201,
  headers: { 'content-type': 'application/json' },
  // Text, not an object: the order of its fields is part of the answer.
  body: JSON.stringify({
    id: 'pay_{{effect.referenceSuffix}}',
    reference: '{{reference}}',
    charge: '{{effect.reference}}',
    paymentIntent: '{{effect.paymentIntent}}',
    amountMinor: '{{amountMinor}}',
    currency: '{{currency}}',
    status: '{{effect.status}}',
  }),
}

const REFUND_CREATED = {
  status: 201,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    id: '{{effect.reference}}',
    payment: 'pay_{{effect.parentSuffix}}',
    charge: '{{effect.parent}}',
    amountMinor: '{{amountMinor}}',
    currency: '{{currency}}',
    status: '{{effect.status}}',
  }),
}

const PAYMENT_ROUTES = ['/v1/payments', '/v1/quick-payments', '/v1/legacy-payments', '/v1/express-payments']

/** The service's ledger, as a source is told of it. */
export const LEDGER_CONFIG = {
  relation: { schema: 'public', name: 'ledger_entry' },
  columns: {
    entryId: 'entry_id',
    kind: 'entry_kind',
    providerRef: 'provider_ref',
    chargeRef: 'charge_ref',
    reference: 'reference',
    amountMinor: 'amount_minor',
    currency: 'currency',
    bookedAt: 'booked_at',
    reversedAt: 'reversed_at',
    correctionId: 'correction_id',
  },
  kinds: { charge: ['charge'], refund: ['refund'], fee: ['fee'], dispute: ['dispute'] },
  correction: { schema: 'public', name: 'payments_apply_correction' },
}

/** Who consumes what the service publishes, and where the records of it are. */
const CONSUMERS = [
  { group: 'inventory', topic: 'orders', store: 'payments store' },
  { group: 'email', topic: 'receipts', store: 'payments store' },
  { group: 'email', topic: 'quick-receipts', store: 'payments store' },
]

/** The demo's four sources: its store, its ledger and its outbox with the least-privilege role, and its provider. */
export async function demoSources(
  db: Db,
  given: { urls: DatabaseUrls; secrets: Secrets; providerUrl: string; credentialsKey: string },
): Promise<void> {
  const { urls, secrets, providerUrl, credentialsKey } = given
  const sources: SaveSource[] = [
    {
      adapter: 'native',
      name: 'payments store',
      system: 'payments',
      config: {
        responses: {
          ...Object.fromEntries(PAYMENT_ROUTES.map((route) => [`POST ${route}`, PAYMENT_CREATED])),
          'POST /v1/payments/{id}/refunds': REFUND_CREATED,
        },
      },
      secret: { url: urls.source },
    },
    {
      adapter: 'ledger-postgres',
      name: 'payments ledger',
      system: 'payments',
      config: LEDGER_CONFIG,
      secret: { url: urls.source },
    },
    {
      adapter: 'outbox',
      name: 'payments outbox',
      system: 'payments',
      config: { consumers: CONSUMERS },
      secret: { url: urls.source },
    },
    {
      adapter: 'stripe',
      name: 'payments provider',
      system: 'payments',
      config: { mode: 'test', baseUrl: providerUrl },
      secret: { readKey: secrets.providerReadKey, writeKey: secrets.providerWriteKey },
    },
  ]
  for (const source of sources)
    await saveSource({ db, clock: systemClock }, source, { credentialsKey, demo: true })
}
