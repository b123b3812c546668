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

/** Of the routes that begin with this. */
const responsesUnder = (prefix: string) => ({
  ...Object.fromEntries(PAYMENT_ROUTES.map((route) => [`POST ${prefix}${route}`, PAYMENT_CREATED])),
  [`POST ${prefix}/v1/payments/{id}/refunds`]: REFUND_CREATED,
})

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

/** Where the demo's service keeps the keys of some of its routes; null = it does not. */
export type FurtherStores = {
  dynamodb: { url: string } | null
  redis: { serviceUrl: string; consoleUrl: string } | null
}

/** So often what has finished is read: a class is found within seconds, and a walk of the demo's table takes some ms. */
const TABLE_EVERY_MS = 10_000

/**
 * The service's stores, its ledger and its outbox, each with the least rights, and its provider. They are one system, since
 * they have one account at the provider: each charge there is explained by the key of one of the stores.
 */
export async function demoSources(
  db: Db,
  given: {
    urls: DatabaseUrls
    secrets: Secrets
    providerUrl: string
    credentialsKey: string
    stores: FurtherStores
  },
): Promise<void> {
  const { urls, secrets, providerUrl, credentialsKey, stores } = given
  const sources: SaveSource[] = [
    {
      adapter: 'native',
      name: 'payments store',
      system: 'payments',
      config: { responses: responsesUnder('') },
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
  const { dynamodb, redis } = stores
  if (dynamodb !== null)
    sources.push({
      adapter: 'native-dynamodb',
      name: SUBSCRIPTIONS,
      system: 'payments',
      config: {
        table: 'subscriptions-idempotency',
        scan: { everyMs: TABLE_EVERY_MS, unitsPerSecond: 1_000 },
        responses: responsesUnder('/subscriptions'),
      },
      secret: { region: 'local', endpoint: dynamodb.url, accessKeyId: 'demo', secretAccessKey: 'demo' },
    })
  if (redis !== null)
    sources.push({
      adapter: 'native-redis',
      name: TICKETS,
      system: 'payments',
      config: { responses: responsesUnder('/tickets') },
      secret: { url: redis.consoleUrl },
    })
  // Its databases and its provider may listen on other ports than the last time.
  for (const source of sources)
    await saveSource(
      { db, clock: systemClock },
      { ...source, records: 'same' },
      { credentialsKey, demo: true, atStart: true },
    )
  // Of an earlier start with them: what is not running is not asked.
  const gone = [dynamodb === null ? SUBSCRIPTIONS : [], redis === null ? TICKETS : []].flat()
  await db.prisma.source.updateMany({ where: { name: { in: gone } }, data: { enabled: false } })
}

const SUBSCRIPTIONS = 'subscriptions store'
const TICKETS = 'tickets store'
