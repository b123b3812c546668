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

export interface ClientOptions {
  readonly name: ClientName
  readonly habit: Habit
  readonly serviceUrl: () => string
  /** Begins every path: the routes of one of the service's stores. */
  readonly prefix: string
  readonly random: () => number
  /** Aborts when the demo stops. */
  readonly signal: AbortSignal
}

/** One of the service's callers. */
export class Client {
  readonly #headers: Readonly<Record<string, string>>

  readonly #options: ClientOptions

  constructor(options: ClientOptions) {
    this.#options = options
    this.#headers = {
      authorization: `Bearer ${tokenOf(options.name)}`,
      'content-type': 'application/json',
    }
  }

  get url(): string {
    return this.#options.serviceUrl()
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
    const response = await fetch(this.#at(`/v1/payments/${id}`), {
      headers: this.#headers,
      signal: this.#options.signal,
    })
    return payment.parse(await response.json())
  }

  #at(path: string, url = this.url): string {
    return url + this.#options.prefix + path
  }

  /** One attempt of a client that does not retry. Status 0: no answer came. */
  async attempt(path: string, body: unknown, options: AttemptOptions): Promise<{ status: number }> {
    try {
      const response = await fetch(this.#at(path, options.url), {
        method: 'POST',
        headers: {
          ...this.#headers,
          'idempotency-key': formatIdempotencyKey(options.key),
          ...(options.fault === undefined ? {} : { [faultHeader]: options.fault }),
        },
        body: JSON.stringify(body),
        signal: AbortSignal.any([this.#options.signal, AbortSignal.timeout(attemptTimeoutMs)]),
      })
      await response.arrayBuffer()
      return { status: response.status }
    } catch {
      return { status: 0 }
    }
  }

  /** The operation with all its retries, as the SDK's client does them. */
  async #post(path: string, body: unknown, { key, first, slip, divert }: CallOptions): Promise<unknown> {
    const { name, habit, random } = this.#options
    let attempts = 0
    const send = createIdempotentFetch({
      ...habit,
      random,
      fetch: (url, init) => {
        attempts += 1
        if (attempts > 1 || first === undefined) return fetch(url, init)
        const headers = new Headers(init.headers)
        headers.set(faultHeader, first.fault)
        return fetch(first.url === undefined ? url : this.#at(path, first.url), { ...init, headers })
      },
    })
    const response = await send(this.#at(path), {
      method: 'POST',
      headers: {
        ...this.#headers,
        ...(slip === undefined ? {} : { [faultHeader]: slip }),
        ...(divert === undefined ? {} : { [divertHeader]: `${divert.url ?? 'here'} ${divert.fault}` }),
      },
      body: JSON.stringify(body),
      idempotencyKey: key,
      signal: this.#options.signal,
    })
    if (!response.ok) throw new Error(`${name} POST ${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }
}
