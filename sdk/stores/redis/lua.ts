/** Below 2^53 until the year 2255; `tostring` would lose digits. */
export const LUA_NUMBERS = `
local function now_micros()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
local function text(number) return string.format('%.0f', number) end
`

/** Steps of a live key, from its hash. */
export const LUA_STEPS = `
local function steps_of(data)
  local all = redis.call('HGETALL', data)
  local steps = {}
  for at = 1, #all, 2 do
    if string.sub(all[at], 1, 1) == '$' then steps[#steps + 1] = cjson.decode(all[at + 1]) end
  end
  return steps
end
local function is_open(step)
  return step.kind ~= 'checkpoint' and (step.state == 'B' or step.state == 'U')
end
`

/** The hash of a live key where its fence matches; else what is there instead. */
export const LUA_HELD = `
local function read_held(data, fence)
  if redis.call('TYPE', data).ok ~= 'hash' then return nil end
  local f, s, u, e, r = unpack(redis.call('HMGET', data, 'f', 's', 'u', 'e', 'r'))
  if f ~= fence then return nil end
  return { state = s, lease = tonumber(u), ended = e, point = r }
end
-- A lease is prolonged, never shortened, and the index says so at once.
local function prolong(data, live, member, held, now, lease)
  local lease_until = math.max(held.lease, now + tonumber(lease))
  redis.call('HSET', data, 'u', text(lease_until), 'h', text(now))
  redis.call('ZADD', live, text(lease_until), member)
end
`
