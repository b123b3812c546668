import { cancelPaymentIntent, capturePaymentIntent } from './capture'
import { createSession } from './checkout'
import type { Draft, Outcome } from './context'
import type { FormNode } from './form'
import { lists } from './lists'
import { sendMail } from './mails'
import { confirmPaymentIntent, createPaymentIntent, updatePaymentIntent } from './payment-intents'
import { createRefund } from './refunds'

export type Route =
  | { readonly kind: 'write'; readonly run: (draft: Draft, form: FormNode) => Outcome }
  | { readonly kind: 'list'; readonly name: keyof typeof lists }
  | { readonly kind: 'retrieve'; readonly name: keyof typeof lists; readonly id: string }

const creates: Partial<Record<keyof typeof lists, (draft: Draft, form: FormNode) => Outcome>> = {
  payment_intents: createPaymentIntent,
  refunds: createRefund,
  'checkout/sessions': createSession,
  mails: sendMail,
}

const intentVerbs = {
  confirm: confirmPaymentIntent,
  capture: capturePaymentIntent,
  cancel: cancelPaymentIntent,
} as const

export function findRoute(method: string, pathname: string): Route | undefined {
  const [version, ...path] = pathname.split('/').slice(1)
  const name = path[0] === 'checkout' ? path.splice(0, 2).join('/') : path.shift()
  const [id, verb, ...rest] = path
  if (version !== 'v1' || name === undefined || !isListName(name) || rest.length > 0) return undefined
  if (method === 'GET' && verb === undefined) {
    return id === undefined ? { kind: 'list', name } : { kind: 'retrieve', name, id }
  }
  if (method !== 'POST') return undefined
  if (id === undefined) {
    const run = creates[name]
    return run === undefined ? undefined : { kind: 'write', run }
  }
  if (name !== 'payment_intents') return undefined
  if (verb === undefined) return { kind: 'write', run: (draft, form) => updatePaymentIntent(draft, form, id) }
  if (!(verb in intentVerbs)) return undefined
  const run = intentVerbs[verb as keyof typeof intentVerbs]
  return { kind: 'write', run: (draft, form) => run(draft, form, id) }
}

function isListName(name: string): name is keyof typeof lists {
  return Object.hasOwn(lists, name)
}
