import { createContext, runInContext } from 'node:vm'
import { build } from 'esbuild'
import { beforeAll, expect, test } from 'vitest'

const ENTRIES = ['client', 'client/axios', 'client/ky', 'idempotency-key', 'errors']
const bundles = new Map<string, string>()

beforeAll(async () => {
  for (const entry of ENTRIES) {
    // Fails on whatever only Node has.
    const { outputFiles } = await build({
      entryPoints: [`sdk/${entry}.ts`],
      bundle: true,
      write: false,
      platform: 'browser',
      format: 'iife',
      globalName: 'sdk',
      target: 'es2020',
      logLevel: 'silent',
    })
    bundles.set(entry, outputFiles[0]?.text ?? '')
  }
})

test.each(ENTRIES)('%s is bundled for browsers, and asks for nothing of Node', (entry) => {
  const bundle = bundles.get(entry) ?? ''
  expect(bundle).not.toBe('')
  expect(bundle).not.toMatch(/\b(?:Buffer|process|require)\b(?![:\s]*["'])[.(]/)
  const world = createContext({ setTimeout, clearTimeout, performance, console, URL })
  expect(runInContext(`${bundle}; typeof sdk`, world)).toBe('object')
})

type Sent = { url: string; init: RequestInit }

/** React Native's own classes: no streams, no Request that reads a form, no AbortSignal.any, no randomUUID, no DOMException. */
function loadInReactNative(more: object = {}) {
  const sent: Sent[] = []
  class FormDataWithParts {
    parts = []
  }
  class ResponseWithoutStreams {
    headers = new Headers()
    constructor(readonly body: unknown) {}
  }
  class SignalWithoutAny {}
  const answers = [new Error('Network request failed'), { status: 201, headers: new Headers() }]
  const world = createContext({
    ...{
      setTimeout,
      clearTimeout,
      performance,
      console,
      URL,
      Headers,
      URLSearchParams,
      AbortController,
      Blob,
    },
    AbortSignal: SignalWithoutAny,
    FormData: FormDataWithParts,
    Response: ResponseWithoutStreams,
    crypto: { getRandomValues: (bytes: Uint8Array) => bytes.fill(255) },
    fetch: async (url: string, init: RequestInit) => {
      sent.push({ url, init })
      const answer = answers[Math.min(sent.length, answers.length) - 1]
      if (answer instanceof Error) throw answer
      return answer
    },
    ...more,
  })
  runInContext(bundles.get('client') ?? '', world)
  const run = (code: string): Promise<unknown> =>
    runInContext(
      `(async () => { const send = sdk.createIdempotentFetch({ backoffBaseMs: 1 }); ${code} })()`,
      world,
    )
  return { run, sent }
}

test('React Native sends text again with one key', async () => {
  const { run, sent } = loadInReactNative()
  expect(
    await run(`return (await send('https://api.test/pay', {
      method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' },
      signal: new AbortController().signal })).status`),
  ).toBe(201)
  expect(
    sent.map(({ url, init }) => [
      url,
      init.method,
      init.body,
      new Headers(init.headers).get('idempotency-key'),
    ]),
  ).toEqual(
    Array(2).fill(['https://api.test/pay', 'POST', '{"a":1}', '"ffffffff-ffff-4fff-bfff-ffffffffffff"']),
  )
})

test('React Native’s FormData is refused with a word on what to do', async () => {
  const { run, sent } = loadInReactNative()
  await expect(
    run(`await send('https://api.test/pay', { method: 'POST', body: new FormData() })`),
  ).rejects.toThrow(/React Native.*cannot encode FormData.*upload the file first/)
  expect(sent).toEqual([])
})

test('a platform without randomness says what to import', async () => {
  const { run } = loadInReactNative({ crypto: undefined })
  await expect(run(`await send('https://api.test/pay', { method: 'POST' })`)).rejects.toThrow(
    'react-native-get-random-values',
  )
})

test('an abort of the caller ends an attempt without AbortSignal.any', async () => {
  const { run } = loadInReactNative({
    fetch: (_: string, { signal }: RequestInit) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
  })
  await expect(
    run(`const stop = new AbortController(); setTimeout(() => stop.abort(new Error('enough')), 1)
      await send('https://api.test/pay', { method: 'POST', signal: stop.signal })`),
  ).rejects.toThrow('enough')
})
