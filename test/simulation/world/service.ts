import type pg from 'pg'
import { sleep } from '@/sdk/clock'
import { EffectFailedError, StoreUnavailableError } from '@/sdk/errors'
import { type IdempotentHandler, idempotent } from '@/sdk/idempotent'
import { createPostgresStore } from '@/sdk/stores/postgres'
import type { Environment } from '../environment/environment'
import type { ProviderAnswer, SimulatedProvider } from '../environment/provider'
import { createProcess, currentStrand, kill, type Process } from '../environment/strands'
import type { Beginning, HoldWatch } from './holds'
import type { PreparedTransactions } from './prepared'

/** How a service is written. Each is a way that services in the field are. */
export type ServiceStyle = {
  /** Where the provider's objects carry the key: on the charge, on the intent only (set afterwards), nowhere. */
  tags: 'charge' | 'intent' | 'none'
  /** Which id it keeps. */
  keeps: 'charge' | 'intent'
  /** When money is taken: with the payment, with it but settled later, or by a capture of its own that is booked then. */
  captures: 'at_once' | 'async' | 'later'
  /** What the provider keeps, as the service books it. */
  fees: 'none' | 'right' | 'wrong'
  /**
   * It books in the SDK's transaction, tries that again itself, or books before its answer: at once, in a transaction, or
   * in one that it prepares.
   */
  books: 'transaction' | 'transaction_retried' | 'before_answer' | 'own_transaction' | 'two_phase'
  /** An error inside its transaction is swallowed. */
  swallows: boolean
  /** Its answer's body takes longer than the lease. */
  slowBody: boolean
  /** Its own transactions think before they commit, while others book. Of a prepared one its coordinator does. */
  slowBooking: boolean
}

export const CALLER = 'web'
export const ROUTE = '/v1/payments'
/** The step of its one effect. */
export const STEP = 'charge'
export const SCOPE = `${CALLER}/POST ${ROUTE}`
export const DEADLINE_MS = 30_000
/** The SDK's own. */
const LEASE_MS = 10_000
/** How long a booking may stay open: longer than the overlap of its feed, shorter than the deadline. */
export const THINK_MS = 25_000

export type Order = { reference: string; amount: number; card: 'pm_card_visa' | 'pm_card_chargeDeclined' }
export type Execution = { key: string; process: Process; startedMs: number; ended: boolean; excused: boolean }

export type Query = (sql: string, values: unknown[]) => Promise<Record<string, unknown>[]>

export type Service = {
  process: Process
  pay(key: string | null, order: Order, wasDone: boolean): Promise<{ status: number; body: string }>
  /** A statement of its own, outside any request. */
  query(sql: string, values: unknown[]): Promise<void>
  /** A transaction of its own, outside the SDK; `about` = whose it is, for one that is prepared. */
  transaction<T>(work: (query: Query) => Promise<T>, about?: string): Promise<T>
  kill(): void
  /** The history is over, and nothing of it is left. */
  rest(): void
}

/** One process of the payment service, on the real SDK and connections of its own. */
export function startService(
  name: string,
  {
    env,
    provider,
    style,
    prepared,
    began,
    watch,
  }: {
    env: Environment
    provider: SimulatedProvider
    style: ServiceStyle
    prepared: PreparedTransactions
    /** Called when the handler begins on a key. */
    began: (execution: Execution) => void
    watch: HoldWatch | null
  },
): Service {
  const process = createProcess(name)
  const pool = env.pools.take()
  const store = createPostgresStore({ pool, clock: env.time.sdk })
  const { holds: _, ...withoutHolds } = store
  const begun = (what: Beginning['what'], key: string | null) =>
    watch?.begun.push({ what, key, process: name, atMs: env.time.nowMs, read: process.holdsRead })
  const executions = new WeakMap<Request, Execution>()

  const handler: IdempotentHandler<pg.PoolClient> = async (request, context) => {
    const execution: Execution = {
      key: context.key ?? '(none)',
      ...{ process, startedMs: env.time.nowMs, ended: false },
      // By the store's clock, the answer that the key is its own was on the way for longer than the lease: it is fenced.
      excused: env.time.storeMs - (currentStrand()?.sentMs ?? 0) >= LEASE_MS,
    }
    executions.set(request, execution)
    open.add(execution)
    if (context.key !== null) began(execution)
    begun('execution', context.key)
    const order: Order = await request.json()
    const effect = { name: 'stripe.charge' }
    const made = await context.effect(STEP, effect, async ({ idempotencyKey }) => {
      begun('effect', context.key)
      const paid = await charge(provider, style, order, context.key, idempotencyKey)
      const reference = style.keeps === 'intent' ? paid.intent : paid.charge
      return { reference, amountMinor: order.amount, currency: 'USD', result: paid }
    })
    const { reference } = made
    const fee = { charge: made.result.charge, reference: order.reference, amount: order.amount }
    const answer = () => respond(env, style, { reference: order.reference, charge: made.result.charge })
    if (style.captures === 'later') return answer()
    if (style.books === 'before_answer' && context.key !== null) {
      await pool.query(BOOK_ONCE, posting(order, reference))
      await bookFee((sql, values) => pool.query(sql, values), style.fees, fee)
      return answer()
    }
    if ((style.books === 'own_transaction' || style.books === 'two_phase') && context.key !== null) {
      await transaction(async (query) => {
        await query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [order.reference])
        await query(BOOK_ONCE, posting(order, reference))
        await bookFee(query, style.fees, fee)
        if (style.slowBooking && style.books === 'own_transaction') await sleep(env.time.sdk, THINK_MS)
      }, order.reference)
      return answer()
    }
    const book = () =>
      context.transaction(async (tx) => {
        await tx.query(BOOK, posting(order, reference))
        await bookFee((sql, values) => tx.query(sql, values), style.fees, fee)
        if (style.swallows) await tx.query('SELECT 1 / 0').catch(() => {})
        return answer()
      })
    if (style.books !== 'transaction_retried') return book()
    return book().catch((error: unknown) => {
      if (error instanceof StoreUnavailableError) return book()
      throw error
    })
  }
  async function transaction<T>(work: (query: Query) => Promise<T>, about = ''): Promise<T> {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      const result = await work(async (sql, values) => (await client.query(sql, values)).rows)
      await (style.books === 'two_phase' ? commitPrepared(client, about) : client.query('COMMIT'))
      client.release()
      return result
    } catch (error) {
      client.release(true)
      throw error
    }
  }
  /** It may leave the second phase to its coordinator, since it is decided now. */
  async function commitPrepared(client: pg.PoolClient, about: string): Promise<void> {
    const begun = prepared.begin(about)
    await client.query(`PREPARE TRANSACTION '${begun.name}'`)
    begun.decided = true
    if (!style.slowBooking) await client.query(`COMMIT PREPARED '${begun.name}'`)
  }
  const open = new Set<Execution>()
  const serve = idempotent<pg.PoolClient>(handler, {
    // Where nobody holds anything, reading that each second would be most of what happens.
    store: watch === null ? withoutHolds : store,
    keySecret: 's'.repeat(32),
    scope: () => ({ caller: CALLER, route: ROUTE }),
    required: false,
    tier: 'standard',
    owner: name,
    executionDeadlineMs: DEADLINE_MS,
    clock: env.time.sdk,
    random: () => 0.5,
  })
  return {
    process,
    async pay(key, order, wasDone) {
      const fromMs = env.time.nowMs
      const request = new Request(`http://service.test${ROUTE}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(key === null ? {} : { 'idempotency-key': key }) },
        body: JSON.stringify(order),
      })
      const before = new Set(open)
      try {
        const response = await serve(request)
        const body = await response.text()
        const held = response.status === 503 && JSON.parse(body).type.endsWith('/held')
        const executed = [...open].some((each) => !before.has(each) && each.key === (key ?? '(none)'))
        const read = process.holdsRead
        watch?.answered.push({ key, fromMs, toMs: env.time.nowMs, held, executed, wasDone, read })
        return { status: response.status, body }
      } finally {
        for (const execution of open) {
          if (before.has(execution) || execution.key !== (key ?? '(none)')) continue
          execution.ended = true
          open.delete(execution)
        }
      }
    },
    async query(sql, values) {
      await pool.query(sql, values)
    },
    transaction,
    kill() {
      kill(process)
      for (const execution of open) execution.excused = true
      store.close()
      void pool.end().catch(() => {})
    },
    rest() {
      process.dead = true
      store.close()
      env.pools.give(pool)
    },
  }
}

const BOOK = `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency)
  SELECT 'charge', $1, $1, $2, $3, 'USD'`
const BOOK_ONCE = `${BOOK} WHERE NOT EXISTS (SELECT FROM ledger_entry WHERE provider_ref = $1)`
/** Once for each charge, and never of nothing. */
const BOOK_FEE = `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency)
  SELECT 'fee', $1, $1, $2, $3, 'USD'
  WHERE NOT EXISTS (SELECT FROM ledger_entry WHERE entry_kind = 'fee' AND provider_ref = $1)`

export async function bookFee(
  query: (sql: string, values: unknown[]) => Promise<unknown>,
  fees: ServiceStyle['fees'],
  { charge, reference, amount }: { charge: string; reference: string; amount: number },
): Promise<void> {
  if (fees !== 'none')
    await query(BOOK_FEE, [charge, reference, providerFee(amount) + (fees === 'wrong' ? 1 : 0)])
}

/** As the demo's provider reckons it. */
export const providerFee = (captured: number): number => Math.round(captured * 0.029) + 30

const posting = (order: Order, reference: string | null) => [reference, order.reference, order.amount]

const CAPTURE_METHOD = { at_once: 'automatic', async: 'automatic_async', later: 'manual' }

async function charge(
  provider: SimulatedProvider,
  style: ServiceStyle,
  order: Order,
  key: string | null,
  idempotencyKey: string,
): Promise<{ charge: string; intent: string }> {
  const tags = {
    reference: order.reference,
    idempotency_scope: SCOPE,
    idempotency_key: key ?? '',
    idempotency_step: STEP,
  }
  const metadata = Object.fromEntries(
    Object.entries(tags).map(([name, value]) => [`metadata[${name}]`, value]),
  )
  const form = new URLSearchParams({
    amount: String(order.amount),
    currency: 'usd',
    confirm: 'true',
    payment_method: order.card,
    description: order.reference,
    capture_method: CAPTURE_METHOD[style.captures],
    ...(style.tags === 'charge' && key !== null ? metadata : {}),
  })
  const post = (path: string, body: URLSearchParams, idempotency?: string) =>
    provider.request({ method: 'POST', path, form: body.toString(), idempotencyKey: idempotency })
  const made = await post('/v1/payment_intents', form, idempotencyKey)
  const intent = parseIntent(made)
  if (style.tags === 'intent' && key !== null)
    await post(`/v1/payment_intents/${intent.intent}`, new URLSearchParams(metadata))
  return intent
}

function parseIntent({ status, body }: ProviderAnswer): { charge: string; intent: string } {
  if (status === 402) throw new EffectFailedError('the card was declined')
  if (status !== 200) throw new Error(`the provider answered ${status}`)
  const { id, latest_charge } = JSON.parse(body)
  return { intent: id, charge: typeof latest_charge === 'string' ? latest_charge : latest_charge.id }
}

/** A body in two parts, of which the second takes most of the deadline. */
function respond(env: Environment, style: ServiceStyle, body: Record<string, string>): Response {
  const bytes = new TextEncoder().encode(JSON.stringify(body))
  const headers = { 'content-type': 'application/json' }
  if (!style.slowBody) return new Response(bytes, { status: 201, headers })
  let part = 0
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await sleep(env.time.sdk, 7_500)
      part += 1
      if (part === 1) return controller.enqueue(bytes.subarray(0, 5))
      controller.enqueue(bytes.subarray(5))
      controller.close()
    },
  })
  return new Response(stream, { status: 201, headers })
}
