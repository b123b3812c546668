/** The API keys that callers authenticate with. The demo's are no secrets. */
const callersByToken: Readonly<Record<string, string>> = {
  demo_key_web: 'web',
  demo_key_mobile: 'mobile',
  demo_key_partner: 'partner',
}

export function findCaller(request: Request): string | undefined {
  const header = request.headers.get('authorization')
  const token = header?.startsWith('Bearer ') === true ? header.slice('Bearer '.length) : ''
  return Object.hasOwn(callersByToken, token) ? callersByToken[token] : undefined
}

export function tokenOf(caller: 'web' | 'mobile' | 'partner'): string {
  return `demo_key_${caller}`
}
