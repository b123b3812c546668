import { z } from 'zod'
import { createIdempotentFetch } from '../../sdk/client'
import { formatIdempotencyKey } from '../../sdk/idempotency-key'
import { tokenOf } from '../service/callers'
import { type Barrier, divertHeader, faultHeader, type Slip } from '../service/fault-points'
import type { Habit } from './habits'
import type { ClientName } from './operation'

interface FirstAttempt {
  /** Armed for the first attempt only; retries go undisturbed. */
  readonly fault: Barrier | Slip
  /** Where the first attempt goes; retries always go to the stable service. */
  readonly url?: string
}

export interface CallOptions {
  readonly key: string
  readonly first?: FirstAttempt
  /** Goes wrong in every attempt. */
  readonly slip?: Slip
  /** Where the messages that it publishes are delivered first. */
  readonly divert?: Divert
}

export interface Divert {
  /** null: to the service itself. */
  readonly url: string | null
  readonly fault: Barrier | Slip
}

export interface AttemptOptions {
  readonly key: string
  readonly fault?: Barrier | Slip
  readonly url?: string
}

const payment = z.object({
  id: z.string(),
  reference: z.string(),
  charge: z.string(),
  paymentIntent: z.string(),
  amountMinor: z.string(),
  currency: z.string(),
  status: z.enum(['succeeded', 'requires_capture']),
})
const refund = z.object({ id: z.string(), charge: z.string() })

export type PaymentAnswer = z.infer<typeof payment>

/** Longer than the service's execution deadline (8 s): whoever waits this long sees its 503. */
const attemptTimeoutMs = 12_000

/** One of the service's callers. */
export class Client {
  readonly #headers: Readonly<Record<string, string>>

  constructor(
    readonly name: ClientName,
    private readonly habit: Habit,
    private readonly serviceUrl: () => string,
    private readonly random: () => number,
    /** Aborts when the demo stops. */
    private readonly signal: AbortSignal,
  ) {
    this.#headers = { authorization: `Bearer ${tokenOf(name)}`, 'content-type': 'application/json' }
  }

  get url(): string {
    return this.serviceUrl()
  }

  async pay(path: string, body: unknown, options: CallOptions): Promise<PaymentAnswer> {
    return payment.parse(await this.#post(path, body, options))
  }

  async capture(id: string, options: CallOptions): Promise<PaymentAnswer> {
    return payment.parse(await this.#post(`/v1/payments/${id}/capture`, {}, options))
  }

  async refund(id: string, body: { amountMinor?: string }, options: CallOptions) {
    return refund.parse(await this.#post(`/v1/payments/${id}/refunds`, body, options))
  }

  async read(id: string): Promise<PaymentAnswer> {
    const response = await fetch(`${this.serviceUrl()}/v1/payments/${id}`, {
      headers: this.#headers,
      signal: this.signal,
    })
    return payment.parse(await response.json())
  }

  /** One attempt of a client that does not retry. Status 0: no answer came. */
  async attempt(path: string, body: unknown, options: AttemptOptions): Promise<{ status: number }> {
    try {
      const response = await fetch(`${options.url ?? this.serviceUrl()}${path}`, {
        method: 'POST',
        headers: {
          ...this.#headers,
          'idempotency-key': formatIdempotencyKey(options.key),
          ...(options.fault === undefined ? {} : { [faultHeader]: options.fault }),
        },
        body: JSON.stringify(body),
        signal: AbortSignal.any([this.signal, AbortSignal.timeout(attemptTimeoutMs)]),
      })
      await response.arrayBuffer()
      return { status: response.status }
    } catch {
      return { status: 0 }
    }
  }

  /** The operation with all its retries, as the SDK's client does them. */
  async #post(path: string, body: unknown, { key, first, slip, divert }: CallOptions): Promise<unknown> {
    let attempts = 0
    const send = createIdempotentFetch({
      ...this.habit,
      random: this.random,
      fetch: (url, init) => {
        attempts += 1
        if (attempts > 1 || first === undefined) return fetch(url, init)
        const headers = new Headers(init.headers)
        headers.set(faultHeader, first.fault)
        return fetch(first.url === undefined ? url : `${first.url}${path}`, { ...init, headers })
      },
    })
    const response = await send(`${this.serviceUrl()}${path}`, {
      method: 'POST',
      headers: {
        ...this.#headers,
        ...(slip === undefined ? {} : { [faultHeader]: slip }),
        ...(divert === undefined ? {} : { [divertHeader]: `${divert.url ?? 'here'} ${divert.fault}` }),
      },
      body: JSON.stringify(body),
      idempotencyKey: key,
      signal: this.signal,
    })
    if (!response.ok)
      throw new Error(`${this.name} POST ${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }
}
