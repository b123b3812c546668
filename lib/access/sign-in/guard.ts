import { z } from 'zod'
import type { Clock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import type { Db } from '@/lib/db'
import { type Bucket, bucketKey, countAttempt, giveBack } from './attempts'
import { addressBucket, clientAddress } from './client-address'
import { deviceCookie, knownDevice, serializeCookie } from './device'
import { known, strangers } from './hashing'
import { signInUnlessReplaced } from './still-right'

const MINUTE_MS = 60_000
/** One who guesses stops here: at one account, and over all of them. */
const PER_ACCOUNT_AND_ADDRESS = { limit: 10, windowMs: 5 * MINUTE_MS }
const PER_ADDRESS = { limit: 30, windowMs: 5 * MINUTE_MS }
const PER_DEVICE = { limit: 10, windowMs: 5 * MINUTE_MS }
/** Many who guess at one account are slowed down, together; nobody is kept out of it for good. */
const PER_ACCOUNT = { limit: 50, windowMs: 15 * MINUTE_MS }
const SLOW = { limit: 1, windowMs: MINUTE_MS / 2 }

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
 * for itself, so that strangers cannot keep its person out. An attempt is counted before a password is hashed.
 */
export function guardSignIn(options: SignInOptions, signIn: Handler): Handler {
  return async (request) => {
    const body = await readBody(request)
    if (body === null) return refusal(413, 'The request is too large.')
    const credentials = parse(body)
    if (credentials === null) return refusal(400, 'Send an email and a password as JSON.')
    const { email } = credentials
    const device = knownDevice(request.headers, options.secret, email)
    const buckets = device === null ? strangersBuckets(options, request, email) : [deviceBucket(device)]
    const waitMs = await admit(options, buckets, device === null ? email : null)
    if (waitMs !== null) {
      const seconds = Math.max(1, Math.ceil(waitMs / 1000))
      return refusal(429, `Too many attempts. Try again in ${seconds} s.`, seconds)
    }
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
      if (error instanceof AppError) return refusal(error.status, error.message, 2)
      throw error
    }
  }
}

function strangersBuckets(options: SignInOptions, request: Request, email: string): Bucket[] {
  const address = addressBucket(clientAddress(request.headers, options.trustedProxies))
  return [
    { key: bucketKey('address', address), ...PER_ADDRESS },
    { key: bucketKey('account-address', email, address), ...PER_ACCOUNT_AND_ADDRESS },
  ]
}
const deviceBucket = (device: string): Bucket => ({ key: bucketKey('device', device), ...PER_DEVICE })
const accountBucket = (email: string): Bucket => ({ key: bucketKey('account', email), ...PER_ACCOUNT })

/**
 * One bucket after the other: what the first one refuses leaves no row in the next, and an address that is refused does
 * not count against the account. Null = go on; else the milliseconds to wait.
 */
async function admit(
  options: SignInOptions,
  buckets: readonly Bucket[],
  email: string | null,
): Promise<number | null> {
  for (const bucket of buckets) {
    const waitMs = await countAttempt(options, bucket)
    if (waitMs !== null) return waitMs
  }
  if (email === null || (await countAttempt(options, accountBucket(email))) === null) return null
  return countAttempt(options, { key: bucketKey('slow', email), ...SLOW })
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
