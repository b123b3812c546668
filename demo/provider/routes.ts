import type { Draft } from './context'
import type { FormNode } from './form'
import { lists } from './lists'
import type { Resource } from './objects'
import {
  cancelPaymentIntent,
  capturePaymentIntent,
  confirmPaymentIntent,
  createPaymentIntent,
} from './payment-intents'
import { createRefund } from './refunds'

/** What a write answers: an object, or a body that stands as it is. Both are kept for the idempotency key. */
export type Outcome =
  | { readonly status: 200; readonly object: Resource }
  | { readonly status: 402; readonly body: string }

export type Route =
  | { readonly kind: 'write'; readonly run: (draft: Draft, form: FormNode) => Outcome }
  | { readonly kind: 'list'; readonly name: keyof typeof lists }
  | { readonly kind: 'retrieve'; readonly name: keyof typeof lists; readonly id: string }

const intentVerbs = {
  confirm: confirmPaymentIntent,
  capture: capturePaymentIntent,
  cancel: cancelPaymentIntent,
} as const

export function findRoute(method: string, pathname: string): Route | undefined {
  const [version, name, id, verb, ...rest] = pathname.split('/').slice(1)
  if (version !== 'v1' || name === undefined || !isListName(name) || rest.length > 0) return undefined
  if (method === 'GET' && verb === undefined) {
    return id === undefined ? { kind: 'list', name } : { kind: 'retrieve', name, id }
  }
  if (method !== 'POST') return undefined
  if (id === undefined) {
    if (name === 'payment_intents') return { kind: 'write', run: createPaymentIntent }
    if (name === 'refunds') return { kind: 'write', run: createRefund }
    return undefined
  }
  if (name !== 'payment_intents' || verb === undefined || !(verb in intentVerbs)) return undefined
  const run = intentVerbs[verb as keyof typeof intentVerbs]
  return { kind: 'write', run: (draft, form) => run(draft, form, id) }
}

function isListName(name: string): name is keyof typeof lists {
  return Object.hasOwn(lists, name)
}
