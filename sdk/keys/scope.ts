/** Who asks, and for what: together `{caller}/{METHOD} {route}`, the space in which a key is unique. */
export type ScopeParts = {
  /** The authenticated caller; no slash. Never a value that the client chooses freely. */
  caller: string
  /** The route's pattern, e.g. `/v1/payments/{id}/capture`: the same for all its requests. */
  route: string
}

/** The name under which a key is unique. Throws TypeError on parts that could be read two ways. */
export function scopeName(method: string, { caller, route }: ScopeParts): string {
  if (!/^[^/\s]{1,128}$/.test(caller))
    throw new TypeError('a caller is 1 to 128 characters without slash or space')
  if (!/^\/[^\s]{0,300}$/.test(route)) throw new TypeError('a route begins with a slash and has no space')
  return `${caller}/${method} ${route}`
}
