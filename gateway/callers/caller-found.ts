export type CallerFound =
  | { kind: 'caller'; caller: string }
  | { kind: 'missing'; why: string }
  | { kind: 'unverifiable'; why: string }

/** From what one header said: exactly once, or it could be the client's beside the proxy's. */
export function callerFrom(values: readonly string[]): CallerFound {
  const [value = '', ...more] = values
  if (more.length > 0) return { kind: 'missing', why: 'the header of the caller is repeated' }
  return value === '' ? { kind: 'missing', why: 'the header of the caller is missing' } : toCaller(value)
}

/** A scope's caller has no slash or space: those, and the sign that stands for them, are written as in a URL. */
export function toCaller(value: string): CallerFound {
  // Stores cannot keep these apart, or at all.
  if (/[\p{Cc}\p{Cs}]/u.test(value))
    return { kind: 'missing', why: 'the name of the caller has control characters or is no text' }
  const caller = value.replace(/[/\s%]/g, encodeURIComponent)
  return caller.length <= 128
    ? { kind: 'caller', caller }
    : { kind: 'missing', why: 'the name of the caller is longer than 128 characters' }
}
