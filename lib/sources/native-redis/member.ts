const DATA_NAME = /^idem:\{\d+\}:k:/

/** The member that a name of a key's data carries; null = it is another name. */
export const memberOf = (name: string): string | null =>
  DATA_NAME.test(name) ? name.replace(DATA_NAME, '') : null

/** Scope and key of a member, `{bytes of scope}:{scope}:{key}`; null = it is none. */
export function readMember(member: string): { scope: string; key: string } | null {
  const bytes = Buffer.from(member)
  const at = bytes.indexOf(0x3a)
  const length = Number(bytes.toString('latin1', 0, Math.max(at, 0)) || Number.NaN)
  const end = at + 1 + length
  if (!Number.isInteger(length) || bytes[end] !== 0x3a) return null
  return { scope: bytes.toString('utf8', at + 1, end), key: bytes.toString('utf8', end + 1) }
}
