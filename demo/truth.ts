import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { StoreName } from './stores/names'

/** What the console must report once quiet. */
interface Truth {
  /** The start of the fault, RFC 3339 UTC. */
  readonly at: string
  readonly fault: string
  readonly class: string
  /** The engine of the store that it happened in. */
  readonly store: StoreName
  readonly scope: string
  readonly key: string
  /** In the order of their creation. */
  readonly effectIds: readonly string[]
  readonly reference: string
  /** What the client sent, so that anybody can retry it byte for byte. */
  readonly request?: SentRequest
  /** What the console shows beside its cases. */
  readonly shownAs?: ShownAs
  /** The messages that it is about. */
  readonly messageIds?: readonly string[]
}

/** `redelivery`: counted as one, and dropped. `dead_letter`: its message is dead. `duplicate_effect`: applied twice. */
export type ShownAs = 'redelivery' | 'dead_letter' | 'duplicate_effect'

export interface SentRequest {
  readonly caller: string
  readonly method: 'POST'
  readonly path: string
  readonly body: string
}

export type WriteTruth = (truth: Truth) => void

/** One line a fault, in one O_APPEND write, so that lines never mix and a kill tears none. */
export function openTruth(path: string): WriteTruth {
  mkdirSync(dirname(path), { recursive: true })
  return (truth) => {
    const { at, fault, store, scope, key, effectIds, reference, request, shownAs, messageIds } = truth
    appendFileSync(
      path,
      `${JSON.stringify({ at, fault, class: truth.class, store, scope, key, effectIds, reference, request, shownAs, messageIds })}\n`,
    )
  }
}
