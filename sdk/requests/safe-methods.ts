/** RFC 9110: these change nothing, so a key says nothing and a hold stops nothing. */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

export const isSafeMethod = (method: string): boolean => SAFE_METHODS.has(method)
