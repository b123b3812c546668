import { StoreUnavailableError } from '../../errors'
import { STATES, STEP_STATES } from '../state-letters'
import type { Acquired, AcquireRequest, EffectKind, Looked, Step } from '../store'
import { dateOfMicros, HEAD_BYTES_MAX, type KeyPlace, placeOf, readRecord, type StoredStep } from './layout'
import { LUA_NUMBERS, LUA_STEPS } from './lua'
import { defineScript, type Item, nextNonce, type Run, textOf } from './script'
import { readDone } from './steps'

/** A larger record is read by a command of its own: the server should not be busy with one script for long. */
const INLINE_BYTES_MAX = 65_536

/** What a key says to a request, without changing anything; nil = it may execute. */
const LUA_JUDGE = `
local function judge_record(data, print, inline_max)
  local head = redis.call('GETRANGE', data, 0, ${HEAD_BYTES_MAX - 1})
  local state, stored = string.match(head, '^%d+ (%a) %S+ %S+ %S+ %S+ %S+ (%S+)')
  -- Given back: absent.
  if state ~= 'C' and state ~= 'F' then return nil end
  if stored ~= print then return { 'mismatch', state } end
  if redis.call('STRLEN', data) > tonumber(inline_max) then return { 'large' } end
  return { 'replay', redis.call('GET', data) }
end
local function read_live(data)
  local s, f, o, n, c, u, p, a, r, q = unpack(redis.call('HMGET', data, 's', 'f', 'o', 'n', 'c', 'u', 'p', 'a', 'r', 'q'))
  return { s = s, f = tonumber(f), o = o, n = tonumber(n), c = c, u = tonumber(u), p = p, a = a, r = r, q = q }
end
local function judge_live(key, print, nonce, now)
  if key.p ~= print and not key.q then return 'mismatch' end
  if key.s == 'U' then return 'unknown' end
  -- What came late: another call of this acquire has been answered, and that attempt has ended.
  if key.s == 'R' and key.a == nonce then return 'in_progress' end
  if key.s == 'L' and key.u > now and key.a ~= nonce then return 'in_progress' end
  return nil
end
local function has_open(data, key)
  if not key.r then return false end
  for _, step in ipairs(steps_of(data)) do
    if is_open(step) then return true end
  end
  return false
end
local function answer(kind, key, now)
  return { kind, key.s, text(key.f), key.n, key.o, key.c, math.max(0, math.floor((key.u - now) / 1000)), key.r or '' }
end
`

/**
 * At most one caller holds a key: all that is seen and changed is one script on one server. A lease that passed is taken
 * over under a higher fence, but not while an effect's end is unknown. Sent again after a lost reply it is known by its
 * nonce and goes on with the lease that it has. Without a shebang: where memory or replicas are missing it fails at its
 * first write, before anything is changed, and what only reads (a replay, a key in progress) is still answered.
 */
const ACQUIRE = defineScript(
  LUA_NUMBERS,
  `
local data, live, fence_key = KEYS[1], KEYS[2], KEYS[3]
local member, print, owner, lease, tier, ttl, trace, nonce, inline_max = unpack(ARGV)
local now = now_micros()
local lease_until = now + tonumber(lease)
local kind = redis.call('TYPE', data).ok

-- Above all that this shard ever gave, whatever the clock says. The first write of each way: refused, nothing has changed.
local function next_fence(old)
  local fence = math.max(now, tonumber(redis.call('GET', fence_key) or '0') + 1, old + 1)
  redis.call('SET', fence_key, text(fence))
  return fence
end
local function begin_life()
  local fence, created = text(next_fence(0)), text(now)
  -- Given back.
  if kind == 'string' then redis.call('DEL', data) end
  local fields = { 's', 'L', 'f', fence, 'o', owner, 'n', '1', 'c', created, 'u', text(lease_until), 'h', created,
    'p', print, 't', tier, 'l', ttl, 'a', nonce }
  if trace ~= '' then fields[#fields + 1], fields[#fields + 2] = 'i', trace end
  redis.call('HSET', data, unpack(fields))
  redis.call('ZADD', live, text(lease_until), member)
  return { 'acquired', 'L', fence, 1, owner, created, math.floor(tonumber(lease) / 1000), '' }
end

-- Almost always; what follows defines what only the other ways need.
if kind == 'none' then return begin_life() end
`,
  LUA_STEPS,
  LUA_JUDGE,
  `
if kind == 'string' then return judge_record(data, print, inline_max) or begin_life() end

local key = read_live(data)
local refused = judge_live(key, print, nonce, now)
if refused then return answer(refused, key, now) end

if key.a == nonce then
  -- Our own: its reply was lost, so nothing was begun under it. It goes on with the same fence.
  key.u = math.max(key.u, lease_until)
  redis.call('HSET', data, 'u', text(key.u), 'h', text(now))
elseif key.s == 'L' and has_open(data, key) then
  -- An effect was begun and nobody knows its end. The fence stays: if the holder lives, it may still say.
  redis.call('HSET', data, 's', 'U')
  key.s = 'U'
  return answer('unknown', key, now)
else
  key.f = next_fence(key.f)
  key.n = key.n + 1
  key.u = lease_until
  key.s, key.o = 'L', owner
  redis.call('HDEL', data, 'q', 'e', 'i')
  redis.call('HSET', data, 's', 'L', 'f', text(key.f), 'o', owner, 'n', text(key.n), 'u', text(key.u), 'h', text(now),
    'p', print, 'a', nonce)
  if trace ~= '' then redis.call('HSET', data, 'i', trace) end
end
redis.call('ZADD', live, text(key.u), member)
if key.n == 1 then return answer('acquired', key, now) end
local taken = answer('takeover', key, now)
for _, step in ipairs(steps_of(data)) do taken[#taken + 1] = cjson.encode(step) end
return taken
`,
)

/** What acquire would answer, on a replica or without memory too. */
const LOOK = defineScript(
  '#!lua flags=no-writes',
  LUA_NUMBERS,
  LUA_STEPS,
  LUA_JUDGE,
  `
local data = KEYS[1]
local print, inline_max = unpack(ARGV)
local now = now_micros()
local kind = redis.call('TYPE', data).ok
if kind == 'string' then return judge_record(data, print, inline_max) or { 'held' } end
if kind ~= 'hash' then return { 'held' } end
local key = read_live(data)
local refused = judge_live(key, print, '', now)
if refused then return answer(refused, key, now) end
if key.s == 'L' and has_open(data, key) then return answer('unknown', key, now) end
return { 'held' }
`,
)

/** A script and no GET, so that it is asked of the primary however the client spreads its reads. */
const READ = defineScript(
  '#!lua flags=no-writes',
  `
if redis.call('TYPE', KEYS[1]).ok ~= 'string' then return {} end
return { redis.call('GET', KEYS[1]) }
`,
)

export async function acquireLease(run: Run, request: AcquireRequest, ttlMs: number): Promise<Acquired> {
  const place = placeOf(request.scope, request.key)
  const nonce = nextNonce()
  const args = [
    place.member,
    printOf(request),
    request.owner,
    String(request.leaseMs * 1_000),
    request.tier,
    String(ttlMs),
    request.traceId ?? '',
    nonce,
    String(INLINE_BYTES_MAX),
  ]
  const answered = await answerWith(run, request, place, () =>
    run(ACQUIRE, [place.data, place.live, place.fence], args),
  )
  if (answered.kind === 'held') throw new Error('acquire answered held')
  return answered
}

export async function lookAtKey(run: Run, request: AcquireRequest): Promise<Looked> {
  const place = placeOf(request.scope, request.key)
  const args = [printOf(request), String(INLINE_BYTES_MAX)]
  const looked = await answerWith(run, request, place, () => run(LOOK, [place.data], args))
  if (looked.kind === 'acquired' || looked.kind === 'takeover')
    throw new Error(`look answered ${looked.kind}`)
  return looked
}

const printOf = ({ fingerprint }: AcquireRequest) => Buffer.from(fingerprint).toString('hex')

/** A large record may expire between the two commands; its next life is asked for again, which may be large too. */
const READS_MAX = 5

/** Asks, and reads what is too large for the answer. */
async function answerWith(
  run: Run,
  request: AcquireRequest,
  place: KeyPlace,
  ask: () => Promise<Item[]>,
): Promise<Acquired | { kind: 'held' }> {
  for (let turn = 0; turn < READS_MAX; turn += 1) {
    const items = await ask()
    if (textOf(items[0]) !== 'large') return toAnswer(items)
    const [stored] = await run(READ, [place.data], [])
    if (Buffer.isBuffer(stored) && matches(stored, request)) return toReplay(stored)
  }
  throw new StoreUnavailableError('the record was another one each time that it was read')
}

const matches = (stored: Buffer, request: AcquireRequest) =>
  stored.toString('latin1', 0, HEAD_BYTES_MAX).split(' ')[7] === printOf(request)

function toAnswer(items: Item[]): Acquired | { kind: 'held' } {
  const [first, second] = items
  const kind = textOf(first)
  if (kind === 'held') return { kind }
  if (kind === 'replay') return toReplay(second as Buffer)
  const state = textOf(second) as keyof typeof STATES
  if (kind === 'mismatch') return { kind, state: STATES[state] }
  const [, , fence, attempts, owner, created, leaseLeft, point, ...steps] = items.map(textOf)
  const live = {
    attempt: Number(attempts),
    fence: BigInt(fence ?? 0),
    owner: owner ?? '',
    createdAt: dateOfMicros(created ?? '0'),
    leaseLeftMs: Number(leaseLeft),
  }
  if (kind !== 'takeover') return { ...live, kind: kind as 'acquired' | 'in_progress' | 'unknown' }
  return { ...live, kind, recoveryPoint: point === '' ? null : (point ?? null), steps: toSteps(steps) }
}

function toReplay(stored: Buffer): Acquired {
  const { state, attempts, ...record } = readRecord(stored)
  return { ...record, kind: 'replay', state: state === 'F' ? 'failed_final' : 'completed', attempt: attempts }
}

/** Oldest first. */
const toSteps = (stored: string[]): Step[] =>
  stored
    .map((json) => JSON.parse(json) as StoredStep)
    .sort((a, b) => Number(a.begunAt) - Number(b.begunAt))
    .map((step) => ({
      step: step.step,
      name: step.name,
      kind: step.kind as EffectKind | 'checkpoint',
      state: STEP_STATES[step.state],
      ...readDone(step),
    }))
