import { apiVersion as latestVersion } from './api-version'
import { stripeId } from './ids'
import type { Journal } from './journal'
import type { KeptAnswer, ProviderEvent, Resource, Stored } from './objects'
import type { State } from './state'
import type { Switches } from './switches'

export interface Provider {
  readonly state: State
  readonly journal: Journal
  readonly switches: Switches
  readonly seed: string
  readonly nowMs: () => number
  readonly idempotencyWindowMs: number
  /** Writers run one at a time, so that a check and its change are one step and readers see only what is on disk. */
  exclusive<T>(work: () => Promise<T>): Promise<T>
}

/** What a write answers: an object, or a body that stands as it is. Both are kept for the idempotency key. */
export type Outcome =
  | { readonly status: 200; readonly object: Resource }
  | { readonly status: 402; readonly body: string }

/** Objects made by one request; committed together with the answer to its key. */
export class Draft {
  readonly put: Stored[] = []
  readonly createdS: number
  #sequence: number

  /** `apiVersion`: of the request. */
  constructor(
    readonly provider: Provider,
    readonly apiVersion: string = latestVersion,
  ) {
    this.#sequence = provider.state.sequence
    this.createdS = Math.max(Math.floor(provider.nowMs() / 1000), provider.state.lastCreatedS)
  }

  newId(prefix: string): string {
    this.#sequence += 1
    return stripeId(prefix, this.provider.seed, this.#sequence)
  }

  save(resource: Resource): void {
    this.put.push(resource)
  }

  event(type: string, resource: Resource): void {
    const event: ProviderEvent = {
      object: 'event',
      id: this.newId('evt'),
      createdS: this.createdS,
      type,
      ...(this.provider.switches.eventVersion === null
        ? {}
        : { apiVersion: this.provider.switches.eventVersion }),
      resource,
    }
    this.put.push(event)
  }

  async commit(answer?: KeptAnswer): Promise<void> {
    if (this.put.length === 0 && answer === undefined) return
    const change = { sequence: this.#sequence, put: this.put, ...(answer === undefined ? {} : { answer }) }
    await this.provider.journal.append(change)
    this.provider.state.apply(change)
  }
}
