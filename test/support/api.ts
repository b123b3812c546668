import { randomUUID } from 'node:crypto'

// biome-ignore lint/suspicious/noExplicitAny: a test reads the API's JSON as any outsider would, without our types.
type Json = any

export type Api = {
  get(path: string): Promise<Json>
  /** All items of a list, page after page. */
  all(path: string): Promise<Json[]>
  /** Any status; `Idempotency-Key` is made unless given. */
  post(path: string, body: unknown, key?: string): Promise<{ status: number; body: Json }>
}

/** A client of `/api/v1` with a token or a session's cookie. */
export function apiClient(url: string, credential: { token: string } | { cookie: string }): Api {
  const headers =
    'token' in credential
      ? { authorization: `Bearer ${credential.token}` }
      : { cookie: credential.cookie, origin: url }
  const read = async (path: string) => {
    const answer = await fetch(`${url}/api/v1/${path}`, { headers })
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`)
    return answer.json()
  }
  return {
    get: read,
    async all(path) {
      const items: Json[] = []
      for (let cursor: string | null = ''; cursor !== null; ) {
        const joiner = path.includes('?') ? '&' : '?'
        const page: Json = await read(
          `${path}${joiner}limit=200${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
        )
        items.push(...page.items)
        cursor = page.next
      }
      return items
    },
    async post(path, body, key = randomUUID()) {
      const answer = await fetch(`${url}/api/v1/${path}`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': `"${key}"` },
        body: JSON.stringify(body),
      })
      return { status: answer.status, body: await answer.json() }
    },
  }
}

/** Signs in as a person does and gives the session's cookie. */
export async function signIn(url: string, person: { email: string; password: string }): Promise<string> {
  const answer = await fetch(`${url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ email: person.email, password: person.password }),
  })
  if (!answer.ok) throw new Error(`sign-in: ${answer.status} ${await answer.text()}`)
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ')
}
