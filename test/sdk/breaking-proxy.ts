import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/**
 * What becomes of the connection at the next such statement: it breaks before the server hears of it; the server hears of it and
 * its answer is lost; or only the client's half breaks, and the server goes on waiting.
 */
export type Break = 'before' | 'after' | 'half'

type Match = (bytes: Buffer) => boolean

/** A proxy before a store that breaks a connection exactly at one statement. */
export async function startBreakingProxy(url: string) {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let armed: { how: Break; at: Match; then?: (() => void) | undefined } | null = null
  let refusing = false
  let broken = 0

  const server = createServer((client) => {
    if (refusing) return client.destroy()
    const upstream = connect({ host: target.hostname, port: Number(target.port || 5432) })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    let losing = false
    let keeping = false
    client.on('data', (bytes) => {
      if (armed?.at(bytes)) {
        const { how, then } = armed
        armed = null
        broken += 1
        then?.()
        if (how === 'after') losing = true
        keeping = how === 'half'
        if (how !== 'after') return client.destroy()
      }
      upstream.write(bytes)
    })
    upstream.on('data', (bytes) => {
      // The server has answered: it is committed.
      if (losing) client.destroy()
      else client.write(bytes)
    })
    client.on('close', () => {
      if (!keeping) upstream.destroy()
    })
    upstream.on('close', () => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String((server.address() as AddressInfo).port)

  return {
    url: through.href,
    breakAtCommit(how: Break) {
      armed = { how, at: isCommit }
      broken = 0
    },
    /** At what has this in it: the name of a function, or of the statement that was prepared for it. */
    breakAt(how: Break, name: string, then?: () => void) {
      armed = { how, at: (bytes) => bytes.includes(name), then }
      broken = 0
    },
    disarm() {
      armed = null
    },
    /** How often it broke since it was told to. */
    broken: () => broken,
    refuse(whether: boolean) {
      refusing = whether
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A simple query, whose text is COMMIT. */
const isCommit: Match = (bytes) => bytes[0] === 0x51 && bytes.subarray(5, 11).toString() === 'COMMIT'
