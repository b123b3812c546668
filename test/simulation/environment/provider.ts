import Stripe from 'stripe'
import { answer } from '@/demo/provider/answer'
import { apiVersion as LATEST } from '@/demo/provider/api-version'
import type { Provider } from '@/demo/provider/context'
import { createControl } from '@/demo/provider/control'
import { StripeFailure } from '@/demo/provider/failures'
import { State } from '@/demo/provider/state'
import { Switches } from '@/demo/provider/switches'
import { currentStrand, faultOf, never, turn } from './strands'
import type { SimulatedTime } from './time'

export const PROVIDER_KEYS = { readKey: 'rk_test_read', writeKey: 'sk_test_write' }

/** A request arrives within this, or never was sent: what a client's timeouts and retries come to. */
export const CALL_MS_MAX = 20_000

export type ProviderCall = {
  method: 'GET' | 'POST'
  path: string
  /** Query of a GET, form of a POST. */
  form: string
  idempotencyKey?: string | undefined
  mayWrite?: boolean
  /** Of the request; absent = the latest. */
  apiVersion?: string
}
export type ProviderAnswer = { status: number; body: string }

export type SentRefund = {
  actionId: string
  refund: string
  charge: string
  /** Of others than the console. */
  liveBefore: string[]
  /** Open or lost. */
  disputesBefore: string[]
}

/** The provider of one history: that of the demo, in memory, on the simulated clock, behind a slow and lossy network. */
export class SimulatedProvider {
  readonly model: Provider
  readonly control: ReturnType<typeof createControl>
  private readonly keysInUse = new Set<string>()
  private readonly onTheWay = new Set<{ sentMs: number; arrive: () => void }>()
  private requests = 0
  /** Refunds that the console has sent, with what it could have read of the charge before. */
  readonly sentByConsole: SentRefund[] = []
  /** By strand and path: the provider's sequence at its last read. */
  private readonly lastRead = new WeakMap<object, Map<string, number>>()

  constructor(
    private readonly time: SimulatedTime,
    seed: string,
  ) {
    const idempotencyWindowMs = 86_400_000
    const state = new State(idempotencyWindowMs)
    const switches = new Switches()
    let last: Promise<unknown> = Promise.resolve()
    this.model = {
      state,
      switches,
      seed,
      idempotencyWindowMs,
      journal: { append: async () => {}, close: async () => {} },
      nowMs: () => switches.now(time.nowMs),
      exclusive(work) {
        const result = last.then(work)
        last = result.catch(() => undefined)
        return result
      },
    }
    this.control = createControl(this.model)
  }

  /** Arrives when its sender's turn comes, or when it has been on the way for long, even if its sender is dead. */
  async request(call: ProviderCall): Promise<ProviderAnswer> {
    const strand = currentStrand()
    if (strand === undefined) return this.serve(call)
    const label = `provider ${call.method} ${call.path}`
    const fault = faultOf(strand)
    if (fault === 'unsent') {
      await turn(strand, label)
      throw unreachable()
    }
    const late = { sentMs: this.time.nowMs, arrive: () => {} }
    const arrived = new Promise<void>((arrive) => {
      late.arrive = arrive
    })
    this.onTheWay.add(late)
    await Promise.race([turn(strand, label), arrived])
    this.onTheWay.delete(late)
    const reads = this.lastRead.get(strand) ?? new Map<string, number>()
    this.lastRead.set(strand, reads)
    if (call.method === 'GET') reads.set(call.path, this.model.state.sequence)
    const answered = await this.serve(call)
    if (call.path === '/v1/refunds' && call.method === 'POST') this.noteSent(call, answered, reads)
    if (strand.process.dead) return never()
    if (fault === 'lost') throw unreachable()
    await turn(strand, `answer of ${label}`)
    return answered
  }

  private noteSent(
    { form }: ProviderCall,
    { status, body }: ProviderAnswer,
    reads: Map<string, number>,
  ): void {
    const actionId = new URLSearchParams(form).get('metadata[idemscope_action]')
    if (actionId === null || status !== 200) return
    const { id, charge } = JSON.parse(body)
    const known = this.sentByConsole.some(({ refund }) => refund === id)
    const live = this.refunds().filter(
      (each) => each.charge === charge && each.id !== id && each.status === 'succeeded',
    )
    // Where it reads no list of them, it could have read one when it read anything.
    const seenAt = (path: string) => reads.get(path) ?? Math.max(0, ...reads.values())
    const wasSeen = (each: { id: string }, path: string) => (this.madeAt.get(each.id) ?? 0) <= seenAt(path)
    const liveBefore = live.filter(
      (each) => wasSeen(each, '/v1/refunds') && !('idemscope_action' in each.metadata),
    )
    const disputesBefore = this.disputes().filter(
      (each) =>
        each.charge === charge &&
        wasSeen(each, '/v1/disputes') &&
        ['needs_response', 'lost'].includes(each.status),
    )
    const ids = (rows: { id: string }[]) => rows.map((each) => each.id)
    if (!known)
      this.sentByConsole.push({
        ...{ actionId, refund: id, charge },
        ...{ liveBefore: ids(liveBefore), disputesBefore: ids(disputesBefore) },
      })
  }

  /** When the oldest of what is on the way arrives at the latest. */
  nextArrivalMs(): number | null {
    const sent = [...this.onTheWay].map(({ sentMs }) => sentMs + CALL_MS_MAX)
    return sent.length === 0 ? null : Math.min(...sent)
  }

  /** What was sent so long ago that it arrives now. */
  deliverLate(olderThanMs = CALL_MS_MAX): void {
    for (const late of [...this.onTheWay]) {
      if (this.time.nowMs - late.sentMs < olderThanMs) continue
      this.onTheWay.delete(late)
      late.arrive()
    }
  }

  /** The provider's sequence, when a refund or a dispute was made. */
  private readonly madeAt = new Map<string, number>()

  private async serve(call: ProviderCall): Promise<ProviderAnswer> {
    const served = await this.answer(call)
    this.noteNew()
    return served
  }

  private noteNew(): void {
    for (const { id } of [...this.refunds(), ...this.disputes()])
      if (!this.madeAt.has(id)) this.madeAt.set(id, this.model.state.sequence)
    for (const { id, captured, unsettled } of this.charges()) {
      const isTaken = captured && unsettled !== true
      if (captured && !this.capturedAtMs.has(id)) this.capturedAtMs.set(id, this.time.nowMs)
      if (isTaken && !this.settledAtMs.has(id)) this.settledAtMs.set(id, this.time.nowMs)
    }
  }

  /** When the money of a charge was taken, and when what the provider keeps of it was known. */
  readonly capturedAtMs = new Map<string, number>()
  readonly settledAtMs = new Map<string, number>()

  async settleCharge(id: string): Promise<void> {
    await this.control.settleCharge(id)
    this.noteNew()
  }

  /** The customer's bank takes a charge's money back, or asks about it. */
  async dispute(charge: string, as: { amount?: number; inquiry: boolean }): Promise<void> {
    await this.control.disputeCharge(charge, as)
    this.noteNew()
  }

  private async answer(call: ProviderCall): Promise<ProviderAnswer> {
    this.requests += 1
    try {
      return await answer(this.model, this.keysInUse, {
        method: call.method,
        pathname: call.path,
        encoded: call.form,
        idempotencyKey: call.idempotencyKey,
        requestId: `req_${this.requests}`,
        mayWrite: call.mayWrite ?? true,
        apiVersion: call.apiVersion ?? LATEST,
      })
    } catch (error) {
      if (!(error instanceof StripeFailure)) throw error
      return { status: error.status, body: error.body }
    }
  }

  /** Charges whose money the merchant still has, in whole or in part. */
  liveCharges() {
    return this.all(this.model.state.charges).filter(
      ({ status, captured, amountCaptured, amountRefunded, released = 0 }) =>
        status === 'succeeded' && captured && amountRefunded - released < amountCaptured,
    )
  }

  /** Charges whose money may still be taken. */
  authorisedCharges() {
    const { paymentIntents } = this.model.state
    return this.charges().filter(
      ({ paymentIntent }) => paymentIntents.get(paymentIntent)?.status === 'requires_capture',
    )
  }

  charges = () => this.all(this.model.state.charges)
  /** Money that was given back: an authorisation that was given up is none. */
  refunds = () => this.all(this.model.state.refunds).filter((each) => each.reportingCategory === undefined)
  releases = () => this.all(this.model.state.refunds).filter((each) => each.reportingCategory !== undefined)
  disputes = () => this.all(this.model.state.disputes)

  private all<T>(rows: { size: number; at(place: number): T | undefined }): T[] {
    return Array.from({ length: rows.size }, (_, place) => rows.at(place)).filter((row) => row !== undefined)
  }
}

const unreachable = (): Error => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })

let current: SimulatedProvider | null = null
/** The provider that the console's Stripe client reaches from now on. */
export const setProvider = (provider: SimulatedProvider | null): void => {
  current = provider
}

/** From here on Stripe's own SDK speaks with the provider of the running history, without a socket. */
export function interposeProvider(): () => void {
  const client = Object.getPrototypeOf(Stripe.createNodeHttpClient())
  const original = client.makeRequest
  client.makeRequest = async (
    _host: string,
    _port: string,
    path: string,
    method: 'GET' | 'POST',
    headers: Record<string, string>,
    data: string,
  ) => {
    if (current === null) throw new Error('no history is running')
    const { pathname, search } = new URL(path, 'http://provider')
    const authorization = String(headers.Authorization ?? headers.authorization ?? '')
    const key = headers['Idempotency-Key'] ?? headers['idempotency-key']
    const sent = await current.request({
      method,
      path: pathname,
      form: method === 'GET' ? search.slice(1) : data,
      // Stripe's SDK makes up a key of its own for a read: of no meaning, and random.
      idempotencyKey: method === 'GET' ? undefined : key,
      mayWrite: authorization.endsWith(PROVIDER_KEYS.writeKey),
    })
    const answered = { 'request-id': 'req', date: new Date(current.model.nowMs()).toUTCString() }
    return {
      getStatusCode: () => sent.status,
      getHeaders: () => answered,
      getRawResponse: () => ({ headers: answered, statusCode: sent.status }),
      toStream: () => {
        throw new Error('streams are not simulated')
      },
      toJSON: async () => JSON.parse(sent.body),
    }
  }
  return () => {
    client.makeRequest = original
  }
}
