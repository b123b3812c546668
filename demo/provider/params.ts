import { z } from 'zod'
import { invalid, StripeFailure } from './failures'
import type { FormNode } from './form'
import type { Metadata } from './objects'

export const flag = z.enum(['true', 'false']).transform((value) => value === 'true')
export const text = z.string().min(1).max(5000)
export const expand = z.record(z.string(), z.string()).optional()
/** Stripe's limits: 50 keys, names to 40 characters, values to 500. */
export const metadata = z
  .record(z.string().max(40), z.string().max(500))
  .refine((entries) => Object.keys(entries).length <= 50, 'more than 50 metadata keys')
  .optional()

/** Parses parameters; a fault is answered as Stripe answers it, with the parameter's name. */
export function parseParams<S extends z.ZodType>(schema: S, form: FormNode): z.output<S> {
  const parsed = schema.safeParse(form)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  if (issue?.code === 'unrecognized_keys') {
    throw invalid(`Received unknown parameter: ${issue.keys.join(', ')}`, issue.keys[0], 'parameter_unknown')
  }
  const param = issue?.path.map(String).join('.') ?? ''
  if (issue?.code === 'invalid_type' && issue.message.includes('undefined')) {
    throw invalid(`Missing required param: ${param}.`, param, 'parameter_missing')
  }
  throw new StripeFailure(
    400,
    'invalid_request_error',
    `Invalid ${param}: ${issue?.message ?? 'bad value'}`,
    { param },
  )
}

/** An empty value removes a name, as in Stripe's API. */
export function mergeMetadata(old: Metadata, changes: Metadata | undefined): Metadata {
  return Object.fromEntries(Object.entries({ ...old, ...changes }).filter(([, value]) => value !== ''))
}
