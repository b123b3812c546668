import { SourceUnavailableError } from '../contracts'

/** The `Date` of an answer: the one clock that the provider's own stamps can be compared with. */
export function answeredAt(headers: Readonly<Record<string, string>>): Date {
  const at = new Date(headers.date ?? '')
  if (Number.isNaN(at.getTime()))
    throw new SourceUnavailableError('the provider sent an answer without a date')
  return at
}
