import { createHash, timingSafeEqual } from 'node:crypto'

/** Whether an Authorization header has this token. Digests are compared, so that neither content nor length shows in the time. */
export function bearerMatches(authorization: string | null | undefined, token: string): boolean {
  const sent = /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1] ?? ''
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(sent.trim()), digest(token))
}
