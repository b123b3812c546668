import { createHmac } from 'node:crypto'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Ids in Stripe's form. They depend on the seed and on a sequence that the journal keeps, so none is made twice. */
export function stripeId(prefix: string, seed: string, sequence: number): string {
  const digest = createHmac('sha256', seed).update(`${prefix}:${sequence}`).digest()
  let text = ''
  for (const byte of digest.subarray(0, 24)) text += alphabet.charAt(byte % alphabet.length)
  return `${prefix}_3${text.slice(1)}`
}
