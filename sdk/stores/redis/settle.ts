import { isUtf8 } from 'node:buffer'
import { type Completed, type Ended, type Holder, recordStateOf, type StoredResponse } from '../store'
import type { Arg } from './client'
import { dateOfMicros, placeOf } from './layout'
import { LUA_HELD, LUA_NUMBERS, LUA_STEPS } from './lua'
import { defineScript, isYes, nextNonce, type Run, textOf } from './script'

/**
 * Completes where the fence matches: the hash becomes the record's string and leaves the index, in one step for everybody.
 * A record that this very holder wrote before is its own; any other is not touched. What was done must be written, so it
 * does not need free memory.
 */
const COMPLETE = defineScript(
  '#!lua flags=allow-oom',
  LUA_NUMBERS,
  `
local data, live = KEYS[1], KEYS[2]
local member, fence, state, status, headers, body = unpack(ARGV)
local kind = redis.call('TYPE', data).ok
if kind == 'string' then
  local head = redis.call('GETRANGE', data, 0, 255)
  local own, created, expires = string.match(head, '^%d+ [CF] (%S+) %S+ (%S+) (%S+)')
  if own == fence then return { created, expires } end
  return {}
end
if kind ~= 'hash' then return {} end
local f, s, n, c, p, i, t, l, r = unpack(redis.call('HMGET', data, 'f', 's', 'n', 'c', 'p', 'i', 't', 'l', 'r'))
if f ~= fence or (s ~= 'L' and s ~= 'U') then return {} end

local effects = ''
-- Without a recovery point there never was a step.
if r then${LUA_STEPS}
  local steps = {}
  for _, step in ipairs(steps_of(data)) do
    if step.kind ~= 'checkpoint' then steps[#steps + 1] = step end
  end
  table.sort(steps, function(a, b) return tonumber(a.begunAt) < tonumber(b.begunAt) end)
  for at, step in ipairs(steps) do
    step.result, step.fence, step.failures, step.inDoubt, step.nonce, step['end'] = nil, nil, nil, nil, nil, nil
    steps[at] = cjson.encode(step)
  end
  if #steps > 0 then effects = '[' .. table.concat(steps, ',') .. ']' end
end
local expires = text(now_micros() + tonumber(l) * 1000)
local head = table.concat({ '1', state, f, n, c, expires, status, p, i or '-', t, #headers, #effects }, ' ')
redis.call('ZREM', live, member)
redis.call('SET', data, head .. ' ' .. headers .. effects .. body, 'PX', l)
return { c, expires }
`,
)

const TEXT_BYTES_MAX = 16_384

/** A short text goes out with the rest of the command; clients write a buffer apart from it. */
function argOf(body: Uint8Array): Arg {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return bytes.length <= TEXT_BYTES_MAX && isUtf8(bytes) ? bytes.toString() : bytes
}

/** Of an attempt that ended before, said again after a lost reply: what it became. */
const LUA_SAID_BEFORE = `
local NAMES = { R = 'retryable', U = 'unknown' }
local function said_before(held, nonce)
  if held.ended == nonce then return { NAMES[held.state] or 'stale' } end
  return { 'stale' }
end
-- It is free from now on, and stays in the index.
local function let_go(data, live, member, state, nonce)
  local now = text(now_micros())
  redis.call('HSET', data, 's', state, 'u', now, 'e', nonce)
  redis.call('ZADD', live, now, member)
  return { NAMES[state] }
end
`

const GIVEN_BACK_MS = 60_000

/**
 * The request is not to be stored. Without steps the key is absent at once; what is left for a minute only tells the same
 * call, said again, that it was done. With steps it stays retryable, or unknown over an effect of unknown end.
 */
const GIVE_BACK = defineScript(
  '#!lua flags=allow-oom',
  LUA_NUMBERS,
  LUA_STEPS,
  LUA_HELD,
  LUA_SAID_BEFORE,
  `
local data, live = KEYS[1], KEYS[2]
local member, fence, nonce = unpack(ARGV)
local held = read_held(data, fence)
if not held then
  if redis.call('TYPE', data).ok == 'string' and redis.call('GETRANGE', data, 0, 255) == '1 G ' .. fence .. ' ' .. nonce then
    return { 'absent' }
  end
  return { 'stale' }
end
if held.state ~= 'L' then return said_before(held, nonce) end
local steps = held.point and steps_of(data) or {}
if #steps == 0 then
  redis.call('ZREM', live, member)
  redis.call('SET', data, '1 G ' .. fence .. ' ' .. nonce, 'PX', ${GIVEN_BACK_MS})
  return { 'absent' }
end
local failed, open = 0, false
for _, step in ipairs(steps) do
  if is_open(step) then open = true end
  if step.kind ~= 'checkpoint' and step.state == 'F' and not step.inDoubt then failed = failed + 1 end
end
-- Nothing has happened: the next request may say something else.
if failed == #steps then redis.call('HSET', data, 'q', '1') end
return let_go(data, live, member, open and 'U' or 'R', nonce)
`,
)

/** The handler threw: retryable when no effect began or all that began are known to have failed, else unknown. */
const ABANDON = defineScript(
  '#!lua flags=allow-oom',
  LUA_NUMBERS,
  LUA_STEPS,
  LUA_HELD,
  LUA_SAID_BEFORE,
  `
local data, live = KEYS[1], KEYS[2]
local member, fence, nonce = unpack(ARGV)
local held = read_held(data, fence)
if not held then return { 'stale' } end
if held.state ~= 'L' then return said_before(held, nonce) end
local began = false
for _, step in ipairs(held.point and steps_of(data) or {}) do
  if step.kind ~= 'checkpoint' and step.state ~= 'F' then began = true end
end
return let_go(data, live, member, began and 'U' or 'R', nonce)
`,
)

/** Prolongs a lease where the fence matches. */
const HEARTBEAT = defineScript(
  '#!lua flags=allow-oom',
  LUA_NUMBERS,
  LUA_HELD,
  `
local data, live = KEYS[1], KEYS[2]
local member, fence, lease = unpack(ARGV)
local held = read_held(data, fence)
if not held or held.state ~= 'L' then return { 0 } end
prolong(data, live, member, held, now_micros(), lease)
return { 1 }
`,
)

export async function completeLease(
  run: Run,
  holder: Holder,
  { status, headers, body }: StoredResponse,
): Promise<Completed | 'stale'> {
  const { member, data, live } = placeOf(holder.scope, holder.key)
  const state = recordStateOf(status) === 'failed_final' ? 'F' : 'C'
  const [created, expires] = await run(
    COMPLETE,
    [data, live],
    [
      ...[member, String(holder.fence), state, String(status)],
      headers.length === 0 ? '' : JSON.stringify(headers),
      argOf(body),
    ],
  )
  if (created === undefined) return 'stale'
  return { createdAt: dateOfMicros(textOf(created)), expiresAt: dateOfMicros(textOf(expires)) }
}

const endWith =
  (script: typeof ABANDON) =>
  async (run: Run, holder: Holder): Promise<Ended> => {
    const { member, data, live } = placeOf(holder.scope, holder.key)
    const nonce = nextNonce()
    const [ended] = await run(script, [data, live], [member, String(holder.fence), nonce])
    return textOf(ended) as Ended
  }

export const giveBackLease = endWith(GIVE_BACK)
export const abandonLease = endWith(ABANDON)

export async function heartbeatLease(run: Run, holder: Holder, leaseMs: number): Promise<boolean> {
  const { member, data, live } = placeOf(holder.scope, holder.key)
  const args = [member, String(holder.fence), String(leaseMs * 1_000)]
  return isYes((await run(HEARTBEAT, [data, live], args))[0])
}
