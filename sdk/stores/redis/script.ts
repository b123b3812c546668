import { createHash, randomBytes } from 'node:crypto'
import { type Clock, sleep } from '../../clock'
import { StoreUnavailableError } from '../../errors'
import type { Arg, RedisPort } from './client'
import { asStoreError, isAnswerLost, isNoScript } from './unavailable'

export type Script = { lua: string; sha: string }

/** A script is named by its content: two versions of the SDK on one Redis never meet in one. */
export const defineScript = (...parts: string[]): Script => {
  const lua = parts.join('\n')
  return { lua, sha: createHash('sha1').update(lua).digest('hex') }
}

/** Whole numbers are texts where the client was told so. */
export type Item = Buffer | string | number | null
export type Run = (script: Script, keys: string[], args: Arg[]) => Promise<Item[]>

/** After a broken connection: some 1.3 s in all, in which a server that restarts, or its successor, may be there. */
const RETRY_DELAYS_MS = [0, 50, 250, 1_000]

/**
 * Runs scripts within the store's own time, whatever the client's settings: some clients wait for ever for a server that is
 * gone. When the connection breaks before the reply, the same call is sent again; each script knows its own nonce or fence.
 * A call that was given up may still run.
 */
export function createRunner(port: RedisPort, clock: Clock, operationTimeoutMs: number): Run {
  return (script, keys, args) =>
    new Promise((resolve, reject) => {
      const call: Call = { script, keys, args, over: false }
      const cancel = clock.after(operationTimeoutMs, () => {
        call.over = true
        reject(
          new StoreUnavailableError(`the idempotency store did not answer within ${operationTimeoutMs} ms`),
        )
      })
      send(port, clock, call).then(
        (items) => {
          cancel()
          resolve(items)
        },
        (error) => {
          cancel()
          reject(asStoreError(error))
        },
      )
    })
}

/** `over` = nobody waits for it any more. */
type Call = { script: Script; keys: string[]; args: Arg[]; over: boolean }

async function send(port: RedisPort, clock: Clock, call: Call): Promise<Item[]> {
  for (const delayMs of RETRY_DELAYS_MS) {
    try {
      return await sendOnce(port, call)
    } catch (error) {
      if (!isAnswerLost(error)) throw error
      await sleep(clock, delayMs)
      if (call.over) throw error
    }
  }
  return sendOnce(port, call)
}

async function sendOnce(port: RedisPort, { script, keys, args }: Call): Promise<Item[]> {
  const key = keys[0] ?? ''
  try {
    return (await port.send(key, ['EVALSHA', script.sha, String(keys.length), ...keys, ...args])) as Item[]
  } catch (error) {
    // A server that has not seen it yet: it restarted, or is another one.
    if (!isNoScript(error)) throw error
    return (await port.send(key, ['EVAL', script.lua, String(keys.length), ...keys, ...args])) as Item[]
  }
}

/** Of this process; a counter follows, since drawing randomness anew costs more than the rest of a call. */
const NONCES = randomBytes(9).toString('base64url')
let nonces = 0
/** Names one call, whatever becomes of its reply. */
export const nextNonce = (): string => `${NONCES}${(nonces++).toString(36)}`

export const textOf = (item: Item | undefined): string => item?.toString() ?? ''

/** Lua's yes. */
export const isYes = (item: Item | undefined): boolean => textOf(item) === '1'
