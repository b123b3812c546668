import { z } from 'zod'
import type { Clock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import type { Db } from '@/lib/db'
import { type Bucket, bucketKey, countAttempt, giveBack } from './attempts'
import { addressBucket, clientAddress, networkOf } from './client-address'
import { deviceCookie, knownDevice, serializeCookie } from './device'
import { known, strangers } from './hashing'
import { signInUnlessReplaced } from './still-right'
import { returnTurn, takeTurn } from './turns'

const MINUTE_MS = 60_000
/** One who guesses stops here: at one account, and over all of them. */
const PER_ACCOUNT_AND_ADDRESS = { limit: 10, windowMs: 5 * MINUTE_MS }
const PER_ADDRESS = { limit: 30, windowMs: 5 * MINUTE_MS }
const PER_DEVICE = { limit: 10, windowMs: 5 * MINUTE_MS }
/** Many who guess at one account take turns from then on; nobody is kept out of it. */
const PER_ACCOUNT = { limit: 50, windowMs: 15 * MINUTE_MS }

const BODY_BYTES_MAX = 16_384

export type SignInOptions = {
  db: Db
  clock: Clock
  secret: string
  /** The cookie is for https alone. */
  secure: boolean
  /** Networks of proxies whose X-Forwarded-For is believed, in CIDR notation. */
  trustedProxies: readonly string[]
}

type Handler = (request: Request) => Promise<Response>

/**
 * Bounds guessing at passwords: by account and address, by address, by account; a device that signed in before counts
 * for itself, so that strangers cannot keep its person out, and on a new one they wait for a turn
 * (docs/decisions/057-sign-in-takes-turns.md). An attempt is counted before a password is hashed.
 */
export function guardSignIn(options: SignInOptions, signIn: Handler): Handler {
  return async (request) => {
    const body = await readBody(request)
    if (body === null) return refusal(413, 'The request is too large.')
    const credentials = parse(body)
    if (credentials === null) return refusal(400, 'Send an email and a password as JSON.')
    const { email } = credentials
    const device = knownDevice(request.headers, options.secret, email)
    const address = clientAddress(request.headers, options.trustedProxies)
    const buckets = device === null ? strangersBuckets(address, email) : [deviceBucket(device)]
    const asking = device === null ? { email, network: networkOf(address) } : null
    const admitted = await admit(options, buckets, asking)
    if (admitted.kind === 'wait') return tooMany(admitted)
    try {
      const lane = device === null ? strangers : known
      const response = await lane.run(() =>
        signInUnlessReplaced(options.db, email, () => signIn(asJson(request, credentials))),
      )
      if (response === null) return refusal(401, 'The password was changed just now: use the new one.')
      if (!response.ok) return response
      await giveBack(options.db, device === null ? [...buckets, accountBucket(email)] : buckets)
      const cookie = deviceCookie(options.secret, email, device, options.secure)
      response.headers.append('set-cookie', serializeCookie(cookie))
      return response
    } catch (error) {
      if (admitted.kind === 'turn' && asking !== null) await returnTurn(options, asking)
      if (error instanceof AppError) return refusal(error.status, error.message, 2)
      throw error
    }
  }
}

function strangersBuckets(address: string | null, email: string): Bucket[] {
  const sender = addressBucket(address)
  return [
    { key: bucketKey('address', sender), ...PER_ADDRESS },
    { key: bucketKey('account-address', email, sender), ...PER_ACCOUNT_AND_ADDRESS },
  ]
}
const deviceBucket = (device: string): Bucket => ({ key: bucketKey('device', device), ...PER_DEVICE })
const accountBucket = (email: string): Bucket => ({ key: bucketKey('account', email), ...PER_ACCOUNT })

type Admitted = { kind: 'free' } | { kind: 'turn' } | { kind: 'wait'; waitMs: number; forTurn: boolean }

/**
 * One bucket after the other: what the first one refuses leaves no row in the next, and an address that is refused does
 * not count against the account. A stranger to a busy account is admitted in turn.
 */
async function admit(
  options: SignInOptions,
  buckets: readonly Bucket[],
  stranger: { email: string; network: string } | null,
): Promise<Admitted> {
  for (const bucket of buckets) {
    const waitMs = await countAttempt(options, bucket)
    if (waitMs !== null) return { kind: 'wait', waitMs, forTurn: false }
  }
  if (stranger === null || (await countAttempt(options, accountBucket(stranger.email))) === null)
    return { kind: 'free' }
  const waitMs = await takeTurn(options, stranger)
  return waitMs === null ? { kind: 'turn' } : { kind: 'wait', waitMs, forTurn: true }
}

function tooMany({ waitMs, forTurn }: Extract<Admitted, { kind: 'wait' }>): Response {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000))
  const message = forTurn
    ? `Many try to sign in to this account. Your turn comes in ${seconds} s and is kept for ten minutes.`
    : `Too many attempts. Try again in ${seconds} s.`
  return refusal(429, message, seconds)
}

const credentialsSchema = z.object({
  email: z
    .string()
    .max(320)
    .transform((email) => email.trim().toLowerCase()),
  password: z.string().max(1_000),
})
type Credentials = z.infer<typeof credentialsSchema>

function parse(body: string): Credentials | null {
  try {
    return credentialsSchema.parse(JSON.parse(body))
  } catch {
    // Not JSON, or nothing to sign in with.
    return null
  }
}

/** What was counted is what is tried, however the body could be read otherwise. */
function asJson(request: Request, credentials: Credentials): Request {
  const headers = new Headers(request.headers)
  headers.set('content-type', 'application/json')
  headers.delete('content-length')
  return new Request(request.url, { method: 'POST', headers, body: JSON.stringify(credentials) })
}

/** Null = longer than any email and password. */
async function readBody(request: Request): Promise<string | null> {
  let bytes = 0
  const chunks: Uint8Array[] = []
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const refusal = (status: number, message: string, retryAfterS?: number): Response =>
  Response.json(
    { message },
    { status, headers: retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) } },
  )
