import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * Below the ports that systems give to outgoing connections (from 32768 on, on Linux): one of those could take the port before
 * whoever asked for it listens there, or while a server that was killed is started again.
 */
const PORTS = { first: 20_000, end: 32_000 }

/** Not one twice in this process, whose servers may not listen yet. */
const given = new Set<number>()

/** A port of 127.0.0.1 that nobody listens on; with `beside`, neither on the one so far above it. */
export async function freePort(beside = 0): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.first, PORTS.end)
    if (given.has(port)) continue
    if ((await isFree(port)) && (beside === 0 || (await isFree(port + beside)))) {
      given.add(port)
      return port
    }
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer()
    server.once('error', () => done(false))
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
  })
}
