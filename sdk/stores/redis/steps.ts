import type { Json } from '../../effects/json'
import { deriveAfterFailures } from '../provider-key'
import type { EffectBeginning, EffectBegun, EffectEnd, Holder } from '../store'
import { placeOf, type StoredStep } from './layout'
import { LUA_HELD, LUA_NUMBERS } from './lua'
import { defineScript, isYes, nextNonce, type Run, textOf } from './script'

/**
 * Begins an effect where the fence matches, so that a takeover either sees it or wins before it. Busy: this holder has begun
 * it; unsettled: begun before without a provider key, or with another one, and its end is unknown. The same call, said again
 * after a lost reply, has begun it.
 */
const BEGIN = defineScript(
  '#!lua flags=allow-oom',
  LUA_NUMBERS,
  LUA_HELD,
  `
local data, live = KEYS[1], KEYS[2]
local member, fence, step_name, name, kind, provider_key, lease, nonce = unpack(ARGV)
local held = read_held(data, fence)
if not held or held.state ~= 'L' then return { 'stale' } end
local now = now_micros()
prolong(data, live, member, held, now, lease)
redis.call('HSET', data, 'r', step_name)

local given = nil
if provider_key ~= '-' then given = string.sub(provider_key, 2) end
local stored = redis.call('HGET', data, '$' .. step_name)
local earlier = stored and cjson.decode(stored) or { state = 'F', failures = 0 }
if earlier.state == 'C' then return { 'committed', stored } end
if earlier.state == 'B' and earlier.fence == fence then
  if earlier.nonce == nonce then return { 'begun', earlier.keyNumber or 0 } end
  return { 'busy' }
end
if earlier.state ~= 'F' and (earlier.providerKey == nil or earlier.providerKey ~= given) then return { 'unsettled' } end
local in_doubt = nil
if earlier.inDoubt or earlier.state ~= 'F' then in_doubt = true end
redis.call('HSET', data, '$' .. step_name, cjson.encode({
  step = step_name, name = name, kind = kind, state = 'B', begunAt = text(now), fence = fence, failures = earlier.failures,
  inDoubt = in_doubt, providerKey = given, keyNumber = earlier.failures > 0 and earlier.failures or nil, nonce = nonce,
}))
return { 'begun', earlier.failures }
`,
)

/**
 * Writes an effect's end where the step's own fence matches, not the lease's: a holder that lost the lease while the provider
 * answered still tells the truth, until another one has begun the step anew. The same end said again is taken.
 */
const SETTLE = defineScript(
  '#!lua flags=allow-oom',
  LUA_NUMBERS,
  `
local data = KEYS[1]
local fence, step_name, said = unpack(ARGV)
if redis.call('TYPE', data).ok ~= 'hash' then return { 0 } end
local stored = redis.call('HGET', data, '$' .. step_name)
if not stored then return { 0 } end
local step = cjson.decode(stored)
local done = cjson.decode(ARGV[4])
if step.fence ~= fence or step.kind == 'checkpoint' then return { 0 } end
if step.state ~= 'B' then
  if step['end'] == said and step.reference == done.reference then return { 1 } end
  return { 0 }
end
-- Not called proves nothing about an earlier call of unknown end.
step.state = said
if said == 'N' then step.state = step.inDoubt and 'U' or 'F' end
if said == 'F' and not step.inDoubt then step.failures = step.failures + 1 end
step['end'] = said
step.nonce = nil
step.settledAt = text(now_micros())
step.reference, step.amountMinor, step.currency, step.result = done.reference, done.amountMinor, done.currency, done.result
redis.call('HSET', data, '$' .. step_name, cjson.encode(step))
return { 1 }
`,
)

/** Names a recovery point with its data, where the fence matches. */
const CHECKPOINT = defineScript(
  '#!lua flags=allow-oom',
  LUA_NUMBERS,
  LUA_HELD,
  `
local data = KEYS[1]
local fence, step_name, result = unpack(ARGV)
local held = read_held(data, fence)
if not held or held.state ~= 'L' then return { 'stale' } end
local now = text(now_micros())
local stored = redis.call('HGET', data, '$' .. step_name)
local step = stored and cjson.decode(stored) or
  { step = step_name, name = step_name, kind = 'checkpoint', state = 'C', begunAt = now, failures = 0 }
if step.kind ~= 'checkpoint' then return { 'effect' } end
step.settledAt, step.fence, step.result = now, fence, result
redis.call('HSET', data, 'r', step_name, 'h', now, '$' .. step_name, cjson.encode(step))
return { 'reached' }
`,
)

export async function beginEffect(run: Run, holder: Holder, effect: EffectBeginning): Promise<EffectBegun> {
  const { member, data, live } = placeOf(holder.scope, holder.key)
  const { providerKey } = effect
  const [kind, more] = await run(
    BEGIN,
    [data, live],
    [
      ...[member, String(holder.fence), effect.step, effect.name, effect.kind],
      // A key may be any text: what comes after the sign.
      providerKey === null ? '-' : `=${providerKey}`,
      ...[String(effect.leaseMs * 1_000), nextNonce()],
    ],
  )
  switch (textOf(kind)) {
    case 'begun':
      return {
        kind: 'begun',
        providerKey: providerKey === null ? null : deriveAfterFailures(providerKey, Number(more)),
      }
    case 'committed':
      return { kind: 'committed', ...readDone(JSON.parse(textOf(more)) as StoredStep) }
    default:
      return { kind: textOf(kind) as 'stale' | 'busy' | 'unsettled' }
  }
}

/** What a step that is committed has left. */
export const readDone = (step: StoredStep) => ({
  reference: step.reference ?? null,
  amountMinor: step.amountMinor === undefined ? null : BigInt(step.amountMinor),
  currency: step.currency ?? null,
  result: (step.result === undefined ? null : JSON.parse(step.result)) as Json,
})

const SAID = { committed: 'C', failed: 'F', unknown: 'U', not_called: 'N' } as const

export async function settleEffect(run: Run, holder: Holder, step: string, end: EffectEnd): Promise<boolean> {
  const done =
    end.state === 'committed'
      ? {
          reference: end.reference ?? undefined,
          amountMinor: end.amountMinor?.toString(),
          currency: end.currency ?? undefined,
          // Lua would change numbers and empty lists: to it, it is a text.
          result: JSON.stringify(end.result),
        }
      : {}
  const { data } = placeOf(holder.scope, holder.key)
  const args = [String(holder.fence), step, SAID[end.state], JSON.stringify(done)]
  return isYes((await run(SETTLE, [data], args))[0])
}

export async function saveCheckpoint(run: Run, holder: Holder, name: string, result: Json): Promise<boolean> {
  const { data } = placeOf(holder.scope, holder.key)
  const [said] = await run(CHECKPOINT, [data], [String(holder.fence), name, JSON.stringify(result)])
  if (textOf(said) === 'effect') throw new Error(`step ${name} is an effect, not a checkpoint`)
  return textOf(said) === 'reached'
}
