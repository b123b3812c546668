import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGate, type Gate } from '../support'

export type Control = Awaited<ReturnType<typeof startControl>>

type What = 'work' | 'charge' | 'stream' | 'after'

/** What the handlers under test tell, wherever they run; a gate keeps one of them until the test opens it. */
export async function startControl() {
  const told = new Map<string, number>()
  const gates = new Map<string, { reached: Gate<void>; open: Gate<void> }>()
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://control')
    const name = `${pathname.slice(1)} ${searchParams.get('key')}`
    told.set(name, (told.get(name) ?? 0) + 1)
    const gate = gates.get(name)
    gate?.reached.resolve()
    await gate?.open.promise
    // A provider: a repeated key is answered with the same object.
    response.end(`ch_${searchParams.get('key')?.slice(0, 16)}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** How often a handler told this. */
    count: (what: What, key: string) => told.get(`${what} ${key}`) ?? 0,
    /** Charges in all: each key of the provider's counts once. */
    charges: () => [...told.keys()].filter((name) => name.startsWith('charge ')).length,
    /** Keeps the one that tells this next. */
    gate(what: What, key: string) {
      const gate = { reached: createGate(), open: createGate() }
      gates.set(`${what} ${key}`, gate)
      return { reached: gate.reached.promise, open: () => gate.open.resolve() }
    },
    close() {
      for (const { open } of gates.values()) open.resolve()
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}
