import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'

/** A browser that signed in as somebody has a way in of its own, whatever strangers do. */
const COOKIE = 'idemscope_device'
const COOKIE_S = 180 * 86_400

/** Several people may share a browser: each has a cookie of their own. */
const cookieName = (secret: string, email: string): string =>
  `${COOKIE}_${sign(secret, 'name', email).slice(0, 12)}`

/** The device's id when its cookie is ours and of this account; else null. */
export function knownDevice(headers: Headers, secret: string, email: string): string | null {
  const name = cookieName(secret, email)
  for (const part of (headers.get('cookie') ?? '').split(';')) {
    const [key, value = ''] = part.trim().split('=')
    if (key !== name) continue
    const [id = '', mac = ''] = value.split('.')
    const right = Buffer.from(sign(secret, 'device', email, id))
    const sent = Buffer.from(mac)
    if (sent.length === right.length && timingSafeEqual(sent, right)) return id
  }
  return null
}

export type DeviceCookie = {
  name: string
  value: string
  maxAge: number
  path: string
  httpOnly: true
  sameSite: 'strict'
  secure: boolean
}

/** The cookie of a device on which its person has just shown who they are. It opens nothing: it counts attempts apart. */
export function deviceCookie(
  secret: string,
  email: string,
  id: string | null,
  secure: boolean,
): DeviceCookie {
  const device = id ?? randomUUID()
  return {
    name: cookieName(secret, email),
    value: `${device}.${sign(secret, 'device', email, device)}`,
    maxAge: COOKIE_S,
    path: '/api/auth',
    httpOnly: true,
    sameSite: 'strict',
    secure,
  }
}

export const serializeCookie = ({ name, value, maxAge, path, secure }: DeviceCookie): string =>
  `${name}=${value}; Max-Age=${maxAge}; Path=${path}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`

const sign = (secret: string, ...parts: string[]): string =>
  createHmac('sha256', secret)
    .update(JSON.stringify(['idemscope.device', ...parts]))
    .digest('hex')
