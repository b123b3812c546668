import { z } from 'zod'
import { AppError } from '@/lib/core/errors'

export type Fault = { in: 'query' | 'path' | 'body'; name: string; message: string }

/** Parses one part of a request. Throws `invalid`, naming every fault and what would be right. */
export function validate<S extends z.ZodType>(schema: S, value: unknown, where: Fault['in']): z.output<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw invalid(faultsOf(parsed.error, where, schema))
}

export function faultsOf(error: z.ZodError, where: Fault['in'], schema?: z.ZodType): Fault[] {
  return error.issues.flatMap((issue) => {
    const { path } = issue
    const branch = issue.code === 'invalid_union' ? closest(issue.errors) : undefined
    if (branch !== undefined) return faultsOf(new z.ZodError(branch), where)
    const message = issue.code === 'unrecognized_keys' ? unknownNames(issue.keys, schema) : issue.message
    return { in: where, name: path.join('.') || where, message }
  })
}

/** Of several forms, the one that was meant: the only one with a single fault. Else all forms are named. */
function closest<I>(branches: readonly (readonly I[])[]): I[] | undefined {
  const near = branches.filter((issues) => issues.length === 1)
  return near.length === 1 && near[0] !== undefined ? [...near[0]] : undefined
}

export function invalid(faults: Fault[]): AppError {
  const list = faults.map(({ name, message }) => `${name}: ${message}`).join('; ')
  return new AppError('invalid', `${list}. The parameters are listed in /api/v1/openapi.json.`, {
    meta: { faults },
  })
}

function unknownNames(names: string[], schema: z.ZodType | undefined): string {
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
  const takes = known.length === 0 ? 'nothing' : known.join(', ')
  return `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} not known; this takes ${takes}`
}

/** A parameter that is sent twice reads like one with commas. */
export function queryObject(url: URL): Record<string, string> {
  return Object.fromEntries(
    [...new Set(url.searchParams.keys())].map((name) => [name, url.searchParams.getAll(name).join(',')]),
  )
}
